-- Exact decimals, so that the order of adding does not matter; powers and removal effects are rounded to twelve digits,
-- so that their last bit does not either. Time decay counts from the last touch: the common factor to the order cancels
-- out, and no path is too old to be shared. A timestamp is a number of microseconds, a day 86,400,000,000 of them.
SELECT
    order_id,
    model,
    touch_position,
    touch_id,
    channel,
    campaign_id,
    is_fallback,
    CASE WHEN is_fallback THEN CAST(1 AS DECIMAL(18, 15)) ELSE raw_weight END AS raw_weight
FROM (
    SELECT
        order_id,
        model,
        touch_position,
        touch_id,
        channel,
        campaign_id,
        raw_weight,
        SUM(raw_weight) OVER (PARTITION BY order_id, model) = 0 AS is_fallback
    FROM (
        SELECT
            steps.order_id,
            models.model,
            steps.touch_position,
            steps.touch_id,
            steps.channel,
            steps.campaign_id,
            CAST(
                CASE models.model
                    WHEN 'first' THEN CASE WHEN steps.touch_position = 1 THEN 1.0 ELSE 0.0 END
                    WHEN 'last' THEN CASE WHEN steps.touch_position = steps.touches THEN 1.0 ELSE 0.0 END
                    WHEN 'last_non_direct' THEN CASE
                        WHEN steps.touch_position = COALESCE(steps.last_position_not_direct, steps.touches) THEN 1.0
                        ELSE 0.0
                    END
                    WHEN 'linear' THEN 1.0
                    WHEN 'position' THEN CASE
                        WHEN steps.touches <= 2 THEN 1.0
                        WHEN steps.touch_position IN (1, steps.touches) THEN 0.4
                        ELSE CAST(0.2 AS DOUBLE) / (steps.touches - 2)
                    END
                    WHEN 'time_decay' THEN CAST(
                        half_life_weight(
                            CAST(CAST(steps.last_touched_at AS BIGINT) - CAST(steps.touched_at AS BIGINT) AS DOUBLE)
                                / 86400000000,
                            CAST($half_life_days AS DOUBLE)
                        ) AS DECIMAL(13, 12)
                    )
                    WHEN 'markov' THEN CAST(COALESCE(effects.removal_effect, 0) AS DECIMAL(13, 12))
                    WHEN 'shapley' THEN CAST(1 AS DOUBLE) / (steps.channels * steps.channel_touches)
                END AS DECIMAL(18, 15)
            ) AS raw_weight
        FROM attribution_steps AS steps
        LEFT JOIN attribution_removal_effects AS effects ON effects.channel = steps.channel
        CROSS JOIN attribution_models AS models
    ) AS weighed
) AS summed
WHERE is_fallback OR raw_weight > 0
