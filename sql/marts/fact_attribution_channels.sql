-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
-- Shared by removal effect, the model markov gives a channel the same part of every path; that is how it is published
-- elsewhere. Its credits to single orders give a channel nothing of a path it is not on, so their sums differ a little.
SELECT
    credits.model,
    credits.channel,
    credits.attributed_conversions,
    credits.attributed_net_revenue,
    CASE WHEN credits.model = 'markov' THEN effects.removal_effect END AS removal_effect,
    CASE WHEN credits.model = 'markov' THEN effects.removal_effect / NULLIF(effects.total_effect, 0) END AS removal_share,
    CASE
        WHEN credits.model = 'markov'
            THEN effects.removal_effect / NULLIF(effects.total_effect, 0) * touched.conversions
    END AS pooled_conversions,
    CASE
        WHEN credits.model = 'markov'
            THEN effects.removal_effect / NULLIF(effects.total_effect, 0) * CAST(touched.net_value AS DOUBLE)
    END AS pooled_net_revenue,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        pairs.model,
        pairs.channel,
        CAST(COALESCE(credited.weight, 0) AS DECIMAL(24, 12)) AS attributed_conversions,
        CAST(COALESCE(credited.net_value, 0) AS DECIMAL(18, 4)) AS attributed_net_revenue
    FROM (
        SELECT models.model, channels.channel
        FROM attribution_models AS models
        CROSS JOIN (
            SELECT DISTINCT channel FROM attribution_touches
            UNION ALL
            SELECT '(unattributed)' AS channel
        ) AS channels
    ) AS pairs
    LEFT JOIN (
        SELECT model, channel, SUM(weight) AS weight, SUM(net_value) AS net_value
        FROM fact_attribution_credits
        GROUP BY model, channel
    ) AS credited
        ON credited.model = pairs.model
        AND credited.channel = pairs.channel
) AS credits
LEFT JOIN (
    SELECT
        channel,
        removal_effect,
        SUM(removal_effect) OVER (ORDER BY channel ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            AS total_effect
    FROM attribution_removal_effects
) AS effects ON effects.channel = credits.channel
CROSS JOIN (
    SELECT COUNT(*) AS conversions, SUM(net_value) AS net_value
    FROM attribution_conversions
    LEFT SEMI JOIN attribution_paths ON attribution_paths.order_id = attribution_conversions.order_id
) AS touched
