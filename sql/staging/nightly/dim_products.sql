SELECT
    sku AS product_id,
    name AS product_name,
    category,
    unit_cost AS unit_cost_value,
    price AS unit_price_value,
    $as_of AS as_of,
    '2' AS definition_version
FROM products
