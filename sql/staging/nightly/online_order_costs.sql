-- The cost of an order is known only if the cost of every line is and the lines are complete, which they are
-- when they add up to what the order says.
SELECT
    online_order_lines.order_id,
    CAST(SUM(online_order_lines.quantity * online_order_lines.unit_price) AS DECIMAL(18, 4)) AS lines_amount,
    CASE
        WHEN COUNT(products.unit_cost) = COUNT(*)
            THEN CAST(SUM(online_order_lines.quantity * products.unit_cost) AS DECIMAL(18, 4))
    END AS cost_value
FROM online_order_lines
LEFT JOIN products ON products.sku = online_order_lines.sku
GROUP BY online_order_lines.order_id
