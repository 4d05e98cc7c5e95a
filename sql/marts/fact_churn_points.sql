SELECT
    dimension,
    value,
    orders,
    churns,
    CAST(churns AS DOUBLE) / NULLIF(SUM(churns) OVER (PARTITION BY dimension), 0) AS share_of_churns,
    CAST(churns AS DOUBLE) / NULLIF(orders, 0) AS churn_per_order,
    churn_thresholds.churn_days,
    churn_thresholds.threshold_rule,
    $as_of AS as_of,
    '3' AS definition_version
FROM (
    SELECT dimension, value, COUNT(*) AS orders, COUNT(*) FILTER (WHERE led_to_churn) AS churns
    FROM (
        SELECT 'order_number' AS dimension, CAST(order_number AS TEXT) AS value, led_to_churn FROM order_outcomes
        UNION ALL
        SELECT 'category' AS dimension, category AS value, led_to_churn FROM order_outcomes
        UNION ALL
        SELECT 'product' AS dimension, product_id AS value, led_to_churn FROM order_outcomes
    ) AS outcomes
    GROUP BY dimension, value
) AS counted
CROSS JOIN churn_thresholds
