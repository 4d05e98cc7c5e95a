-- Says of each invoice line what it is. The kinds are tried in this order, so a credited postage is a credit.
SELECT
    invoice_number AS order_id,
    customer_number AS customer_id,
    invoiced_at,
    country,
    stock_code AS product_id,
    description AS product_name,
    quantity,
    CASE
        WHEN starts_with(invoice_number, 'C') THEN 'credit'
        WHEN starts_with(invoice_number, 'A') THEN 'adjustment'
        WHEN quantity <= 0 THEN 'stock_correction'
        WHEN unit_price <= 0 THEN 'unpriced'
        WHEN regexp_like(stock_code, '^[0-9]{5}') THEN 'product'
        WHEN stock_code IN ('POST', 'DOT', 'C2') THEN 'shipping'
        ELSE 'other'
    END AS line_kind,
    CAST(quantity * unit_price AS DECIMAL(18, 4)) AS line_value
FROM invoice_lines
WHERE invoiced_at < $as_of
