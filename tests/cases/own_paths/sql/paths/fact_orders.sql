SELECT
    customer_id AS order_id,
    customer_id,
    CAST('2026-01-02T00:00:00Z' AS TIMESTAMP WITH TIME ZONE) AS ordered_at,
    DATE '2026-01-02' AS order_date,
    net_value,
    CAST(0 AS DECIMAL(18, 4)) AS refund_value,
    CAST(NULL AS DATE) AS refunded_on,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value,
    CAST(NULL AS TEXT) AS coupon_campaign_id,
    CAST(0 AS DECIMAL(18, 4)) AS coupon_value,
    TRUE AS is_eligible
FROM journeys
WHERE converts
