-- The file tells no time; any day of the two weeks it covers will do.
SELECT
    customer_id AS order_id,
    customer_id,
    CAST('2008-03-21T16:00:00Z' AS TIMESTAMP WITH TIME ZONE) AS ordered_at,
    DATE '2008-03-21' AS order_date,
    spend AS net_value,
    CAST(0 AS DECIMAL(18, 4)) AS refund_value,
    CAST(NULL AS DATE) AS refunded_on,
    CAST(NULL AS DECIMAL(18, 4)) AS cost_value,
    CAST(NULL AS TEXT) AS coupon_campaign_id,
    CAST(0 AS DECIMAL(18, 4)) AS coupon_value,
    TRUE AS is_eligible
FROM people
WHERE has_bought
