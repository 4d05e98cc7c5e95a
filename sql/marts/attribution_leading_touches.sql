-- The largest share; among equal ones that of the earliest touch.
SELECT
    order_id,
    FIRST_VALUE(touch_position ORDER BY position_share DESC, touch_position ASC) AS position_leader,
    FIRST_VALUE(touch_position ORDER BY time_decay_share DESC NULLS LAST, touch_position ASC) AS time_decay_leader,
    FIRST_VALUE(touch_position ORDER BY markov_share DESC NULLS LAST, touch_position ASC) AS markov_leader,
    FIRST_VALUE(touch_position ORDER BY shapley_share DESC, touch_position ASC) AS shapley_leader
FROM attribution_shares
GROUP BY order_id
