-- Lines have no number in the export; that of equal lines is as good as any.
SELECT
    order_id,
    CAST(ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY product_id, line_value, quantity) AS BIGINT) AS line_number,
    product_id,
    CAST(NULL AS TEXT) AS category,
    quantity,
    line_value AS gross_value,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value,
    $as_of AS as_of,
    '2' AS definition_version
FROM order_lines
WHERE line_kind = 'product'
