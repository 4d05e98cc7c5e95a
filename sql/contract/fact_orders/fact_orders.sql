-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS order_id,
    CAST(NULL AS TEXT) AS customer_id,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS ordered_at,
    CAST(NULL AS DATE) AS order_date,
    CAST(NULL AS DECIMAL(18, 4)) AS net_value,
    CAST(NULL AS DECIMAL(18, 4)) AS refund_value,
    CAST(NULL AS DATE) AS refunded_on,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value,
    CAST(NULL AS TEXT) AS coupon_campaign_id,
    CAST(NULL AS DECIMAL(18, 4)) AS coupon_value,
    CAST(NULL AS BOOLEAN) AS is_eligible
WHERE FALSE
