-- The largest weight takes what rounding leaves over; among equal weights that is the earliest touch.
SELECT
    order_id,
    model,
    touch_position,
    touch_id,
    channel,
    campaign_id,
    is_fallback,
    weight,
    takes_remainder
FROM (
    SELECT
        shares.order_id,
        models.model,
        shares.touch_position,
        shares.touch_id,
        shares.channel,
        shares.campaign_id,
        models.model = 'markov' AND shares.is_markov_fallback AS is_fallback,
        CAST(
            CASE models.model
                WHEN 'first' THEN CASE WHEN shares.touch_position = 1 THEN 1 END
                WHEN 'last' THEN CASE WHEN shares.touch_position = shares.touches THEN 1 END
                WHEN 'last_non_direct'
                    THEN CASE WHEN shares.touch_position = shares.last_position_that_counts THEN 1 END
                WHEN 'linear' THEN shares.linear_share
                WHEN 'position' THEN shares.position_share
                WHEN 'time_decay' THEN shares.time_decay_share
                WHEN 'markov' THEN shares.markov_share
                WHEN 'shapley' THEN shares.shapley_share
            END AS DECIMAL(13, 12)
        ) AS weight,
        shares.touch_position = CASE models.model
            WHEN 'last' THEN shares.touches
            WHEN 'last_non_direct' THEN shares.last_position_that_counts
            WHEN 'position' THEN leaders.position_leader
            WHEN 'time_decay' THEN leaders.time_decay_leader
            WHEN 'markov' THEN leaders.markov_leader
            WHEN 'shapley' THEN leaders.shapley_leader
            ELSE 1
        END AS takes_remainder
    FROM attribution_shares AS shares
    INNER JOIN attribution_leading_touches AS leaders ON leaders.order_id = shares.order_id
    CROSS JOIN attribution_models AS models
) AS weighed
WHERE weight IS NOT NULL
