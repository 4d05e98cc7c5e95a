SELECT
    attribution_weights.order_id,
    attribution_weights.model,
    CAST(1 - SUM(attribution_weights.weight) AS DECIMAL(18, 12)) AS weight,
    CAST(
        MIN(attribution_conversions.net_value)
            - SUM(CAST(attribution_conversions.net_value * attribution_weights.weight AS DECIMAL(18, 4)))
        AS DECIMAL(18, 4)
    ) AS net_value,
    CAST(
        MIN(attribution_conversions.refund_value)
            - SUM(CAST(attribution_conversions.refund_value * attribution_weights.weight AS DECIMAL(18, 4)))
        AS DECIMAL(18, 4)
    ) AS refund_value,
    CAST(
        MIN(attribution_conversions.contribution_value)
            - SUM(CAST(attribution_conversions.contribution_value * attribution_weights.weight AS DECIMAL(18, 4)))
        AS DECIMAL(18, 4)
    ) AS contribution_value
FROM attribution_weights
INNER JOIN attribution_conversions ON attribution_conversions.order_id = attribution_weights.order_id
GROUP BY attribution_weights.order_id, attribution_weights.model
