-- Only of orders whose cost is unknown; the lines tell which part of an order is of which category.
SELECT
    order_id,
    CASE
        WHEN COUNT(margin_rate) = COUNT(*) AND SUM(gross_value) > 0
            THEN CAST(SUM(gross_value * margin_rate) / SUM(gross_value) AS DECIMAL(9, 6))
    END AS margin_rate
FROM (
    SELECT
        fact_order_lines.order_id,
        fact_order_lines.gross_value,
        COALESCE(category_margins.margin_rate, CAST($margin_rate AS DECIMAL(9, 6))) AS margin_rate
    FROM fact_order_lines
    LEFT SEMI JOIN (SELECT order_id FROM eligible_orders WHERE cost_value IS NULL) AS unknown
        ON unknown.order_id = fact_order_lines.order_id
    LEFT JOIN category_margins ON category_margins.category = fact_order_lines.category
) AS lines
GROUP BY order_id
