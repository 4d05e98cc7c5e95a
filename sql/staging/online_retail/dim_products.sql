SELECT
    product_id,
    FIRST_VALUE(product_name ORDER BY product_name IS NULL, invoiced_at DESC, product_name ASC) AS product_name,
    CAST(NULL AS TEXT) AS category,
    CAST(NULL AS DECIMAL(18, 4)) AS unit_cost_value,
    $as_of AS as_of,
    '2' AS definition_version
FROM order_lines
WHERE line_kind = 'product'
GROUP BY product_id
