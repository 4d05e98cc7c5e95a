-- Only of orders whose cost is unknown as a whole. All is left of a line whose cost is known, for that cost is told apart;
-- of another one the margin of its category is. Which lines a refund gave back is not told: it takes the same share of all.
SELECT
    order_id,
    CASE
        WHEN COUNT(margin_rate) = COUNT(*) AND SUM(gross_value) > 0
            THEN CAST(SUM(gross_value * margin_rate) / SUM(gross_value) AS DECIMAL(18, 12))
    END AS margin_rate,
    CAST(COALESCE(CAST(SUM(cost_value) AS DECIMAL(18, 4)) * MIN(kept_share), 0) AS DECIMAL(18, 4)) AS known_cost_value,
    COUNT(cost_value) < COUNT(*) AS is_estimated
FROM (
    SELECT
        fact_order_lines.order_id,
        fact_order_lines.gross_value,
        fact_order_lines.cost_value,
        orders.kept_share,
        CASE
            WHEN fact_order_lines.cost_value IS NOT NULL THEN CAST(1 AS DECIMAL(9, 6))
            ELSE COALESCE(category_margins.margin_rate, CAST($margin_rate AS DECIMAL(9, 6)))
        END AS margin_rate
    FROM fact_order_lines
    INNER JOIN (
        SELECT
            order_id,
            CASE
                WHEN net_value + refund_value > 0
                    THEN CAST(
                        CAST(GREATEST(net_value, 0) AS DECIMAL(30, 12)) / (net_value + refund_value)
                        AS DECIMAL(18, 12)
                    )
                ELSE CAST(1 AS DECIMAL(18, 12))
            END AS kept_share
        FROM eligible_orders
        WHERE cost_value IS NULL
    ) AS orders ON orders.order_id = fact_order_lines.order_id
    LEFT JOIN category_margins ON category_margins.category = fact_order_lines.category
) AS lines
GROUP BY order_id
