-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS order_id,
    CAST(NULL AS BIGINT) AS line_number,
    CAST(NULL AS TEXT) AS product_id,
    CAST(NULL AS TEXT) AS category,
    CAST(NULL AS DECIMAL(18, 4)) AS gross_value,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value
WHERE FALSE
