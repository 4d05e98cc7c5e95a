-- A line of an online order is converted at the rate of the order's own day. Where lines are missing, those that are there
-- do not tell what the order cost.
SELECT
    lines.order_id,
    lines.line_number,
    lines.product_id,
    dim_products.category,
    lines.quantity,
    lines.gross_value,
    CASE
        WHEN lines.are_complete THEN CAST(lines.quantity * dim_products.unit_cost_value AS DECIMAL(18, 4))
    END AS cost_value,
    $as_of AS as_of,
    '3' AS definition_version
FROM (
    SELECT
        online_order_lines.order_id,
        online_order_lines.line_no AS line_number,
        online_order_lines.sku AS product_id,
        online_order_lines.quantity,
        CAST(online_order_lines.quantity * online_order_lines.unit_price * online_order_values.rate AS DECIMAL(18, 4))
            AS gross_value,
        online_order_values.has_all_lines AS are_complete
    FROM online_order_lines
    INNER JOIN online_order_values ON online_order_values.order_id = online_order_lines.order_id
    UNION ALL
    SELECT
        store_sales.receipt_id AS order_id,
        store_sales.line_no AS line_number,
        store_sales.sku AS product_id,
        store_sales.quantity,
        CAST(store_sales.quantity * store_sales.unit_price AS DECIMAL(18, 4)) AS gross_value,
        TRUE AS are_complete
    FROM store_sales
    INNER JOIN store_order_values
        ON store_order_values.order_id = store_sales.receipt_id
        AND store_order_values.is_sale
    WHERE store_sales.kind = 'sale'
) AS lines
LEFT JOIN dim_products ON dim_products.product_id = lines.product_id
