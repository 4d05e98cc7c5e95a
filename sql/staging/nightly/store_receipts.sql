SELECT
    store_sales.receipt_id,
    MIN(store_sales.customer_id) AS customer_id,
    MIN(store_sales.sold_at) AS sold_at,
    MIN(store_sales.original_receipt_id) AS original_receipt_id,
    BOOL_OR(store_sales.kind = 'sale') AS is_sale,
    CAST(
        COALESCE(SUM(store_sales.quantity * store_sales.unit_price) FILTER (WHERE store_sales.kind = 'sale'), 0)
        AS DECIMAL(18, 4)
    ) AS gross_value,
    CAST(
        COALESCE(SUM(store_sales.amount) FILTER (WHERE store_sales.kind = 'sale'), 0) AS DECIMAL(18, 4)
    ) AS sold_value,
    CAST(
        COALESCE(-SUM(store_sales.amount) FILTER (WHERE store_sales.kind = 'return'), 0) AS DECIMAL(18, 4)
    ) AS returned_value,
    CASE
        WHEN COUNT(products.unit_cost) = COUNT(*)
            THEN CAST(SUM(store_sales.quantity * products.unit_cost) AS DECIMAL(18, 4))
    END AS cost_value
FROM store_sales
LEFT JOIN products ON products.sku = store_sales.sku
WHERE store_sales.sold_at < $as_of
GROUP BY store_sales.receipt_id
