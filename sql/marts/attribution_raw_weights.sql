-- Exact decimals, so that the order of adding does not matter; powers and removal effects are rounded to twelve digits,
-- so that their last bit does not either. Time decay counts from the last touch: the common factor to the order cancels
-- out, and no path is too old to be shared. A timestamp is a number of microseconds, a day 86,400,000,000 of them.
SELECT
    steps.order_id,
    steps.touch_position,
    steps.touch_id,
    steps.channel,
    steps.campaign_id,
    steps.touches,
    COALESCE(steps.last_position_not_direct, steps.touches) AS last_position_that_counts,
    CAST(
        CASE
            WHEN steps.touches <= 2 THEN 1.0
            WHEN steps.touch_position IN (1, steps.touches) THEN 0.4
            ELSE CAST(0.2 AS DOUBLE) / (steps.touches - 2)
        END AS DECIMAL(18, 15)
    ) AS position_weight,
    CAST(
        CAST(
            half_life_weight(
                CAST(CAST(steps.last_touched_at AS BIGINT) - CAST(steps.touched_at AS BIGINT) AS DOUBLE) / 86400000000,
                CAST($half_life_days AS DOUBLE)
            ) AS DECIMAL(13, 12)
        ) AS DECIMAL(18, 15)
    ) AS time_decay_weight,
    CAST(CAST(COALESCE(effects.removal_effect, 0) AS DECIMAL(13, 12)) AS DECIMAL(18, 15)) AS markov_weight,
    CAST(CAST(1 AS DOUBLE) / (steps.channels * steps.channel_touches) AS DECIMAL(18, 15)) AS shapley_weight
FROM attribution_steps AS steps
LEFT JOIN attribution_removal_effects AS effects ON effects.channel = steps.channel
