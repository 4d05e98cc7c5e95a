-- A purchase has no name but its place in the export.
SELECT
    lpad(CAST(_record AS TEXT), 6, '0') AS order_id,
    customer_number AS customer_id,
    CAST(bought_on AS TIMESTAMP) AS ordered_at,
    bought_on AS order_date,
    'web' AS channel,
    paid AS gross_value,
    CAST(0 AS DECIMAL(18, 4)) AS discount_value,
    CAST(0 AS DECIMAL(18, 4)) AS refund_value,
    CAST(0 AS DECIMAL(18, 4)) AS tax_value,
    CAST(0 AS DECIMAL(18, 4)) AS shipping_value,
    paid AS net_value,
    paid AS sale_value,
    CAST(NULL AS DATE) AS refunded_on,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value,
    CAST(NULL AS TEXT) AS coupon_campaign_id,
    CAST(0 AS DECIMAL(18, 4)) AS coupon_value,
    TRUE AS is_eligible,
    'eligible' AS eligibility,
    ROW_NUMBER() OVER (PARTITION BY customer_number ORDER BY bought_on, _record) = 1 AS is_first_order,
    $as_of AS as_of,
    '2' AS definition_version
FROM purchases
WHERE bought_on < $as_of_date
