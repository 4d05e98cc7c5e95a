-- Adds the lines of each invoice up. A credit note names no invoice, so it cannot restate the order it belongs to
-- and stays a document of its own.
SELECT
    order_id,
    MIN(customer_id) AS customer_id,
    MIN(invoiced_at) AS ordered_at,
    CAST(
        SUM(
            CASE
                WHEN line_kind = 'product' THEN line_value
                WHEN line_kind IN ('shipping', 'other') AND $non_products_are_revenue THEN line_value
                ELSE 0
            END
        ) AS DECIMAL(18, 4)
    ) AS gross_value,
    CAST(
        SUM(CASE WHEN line_kind = 'shipping' AND NOT $non_products_are_revenue THEN line_value ELSE 0 END) AS DECIMAL(18, 4)
    ) AS shipping_value,
    CAST(SUM(CASE WHEN line_kind = 'credit' THEN -line_value ELSE 0 END) AS DECIMAL(18, 4)) AS refund_value,
    BOOL_OR(line_kind = 'credit') AS is_credit_note,
    BOOL_OR(line_kind = 'product' OR (line_kind IN ('shipping', 'other') AND $non_products_are_revenue)) AS has_sold_lines
FROM order_lines
GROUP BY order_id
