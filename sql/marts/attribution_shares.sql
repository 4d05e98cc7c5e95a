-- A touch that a model gives no weight has no share in it. Where that is so of a whole path, all its touches weigh the
-- same.
SELECT
    order_id,
    touch_position,
    touch_id,
    channel,
    campaign_id,
    touches,
    last_position_that_counts,
    CAST(CAST(1 AS DOUBLE) / touches AS DECIMAL(13, 12)) AS linear_share,
    CAST(CAST(position_weight AS DOUBLE) / CAST(position_sum AS DOUBLE) AS DECIMAL(13, 12)) AS position_share,
    CASE
        WHEN time_decay_weight > 0
            THEN CAST(CAST(time_decay_weight AS DOUBLE) / CAST(time_decay_sum AS DOUBLE) AS DECIMAL(13, 12))
    END AS time_decay_share,
    CASE
        WHEN markov_sum = 0 THEN CAST(CAST(1 AS DOUBLE) / touches AS DECIMAL(13, 12))
        WHEN markov_weight > 0
            THEN CAST(CAST(markov_weight AS DOUBLE) / CAST(markov_sum AS DOUBLE) AS DECIMAL(13, 12))
    END AS markov_share,
    markov_sum = 0 AS is_markov_fallback,
    CAST(CAST(shapley_weight AS DOUBLE) / CAST(shapley_sum AS DOUBLE) AS DECIMAL(13, 12)) AS shapley_share
FROM (
    SELECT
        *,
        SUM(position_weight) OVER (PARTITION BY order_id) AS position_sum,
        SUM(time_decay_weight) OVER (PARTITION BY order_id) AS time_decay_sum,
        SUM(markov_weight) OVER (PARTITION BY order_id) AS markov_sum,
        SUM(shapley_weight) OVER (PARTITION BY order_id) AS shapley_sum
    FROM attribution_raw_weights
) AS summed
