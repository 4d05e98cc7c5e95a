SELECT
    customer_id,
    COUNT(*) AS orders,
    MAX(order_date) AS last_order_date,
    CAST(SUM(net_value) AS DECIMAL(18, 4)) AS net_value,
    $as_of AS as_of
FROM order_values
WHERE customer_id IS NOT NULL
GROUP BY customer_id
ORDER BY customer_id
