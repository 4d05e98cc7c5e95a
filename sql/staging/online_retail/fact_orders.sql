SELECT
    order_id,
    customer_id,
    ordered_at,
    local_date(ordered_at) AS order_date,
    'web' AS channel,
    gross_value,
    CAST(0 AS DECIMAL(18, 4)) AS discount_value,
    refund_value,
    CAST(0 AS DECIMAL(18, 4)) AS tax_value,
    shipping_value,
    CAST(gross_value - refund_value AS DECIMAL(18, 4)) AS net_value,
    gross_value AS sale_value,
    CASE WHEN refund_value > 0 THEN local_date(ordered_at) END AS refunded_on,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value,
    CAST(NULL AS TEXT) AS coupon_campaign_id,
    CAST(0 AS DECIMAL(18, 4)) AS coupon_value,
    eligibility = 'eligible' AS is_eligible,
    eligibility,
    eligibility = 'eligible'
        AND ROW_NUMBER() OVER (PARTITION BY customer_id, eligibility ORDER BY ordered_at, order_id) = 1
        AS is_first_order,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        *,
        CASE
            WHEN is_credit_note THEN 'credit_note'
            WHEN NOT has_sold_lines THEN 'nothing_sold'
            WHEN customer_id IS NULL THEN 'unresolved'
            ELSE 'eligible'
        END AS eligibility
    FROM order_values
) AS judged
