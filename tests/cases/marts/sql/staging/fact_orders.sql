SELECT
    orders.order_id,
    orders.customer AS customer_id,
    orders.ordered_at,
    local_date(orders.ordered_at) AS order_date,
    CAST(
        (orders.amount - CASE WHEN orders.refunded_at >= $as_of THEN 0 ELSE orders.refund END) * rates.rate
        AS DECIMAL(18, 4)
    ) AS net_value,
    CAST(
        CASE WHEN orders.refunded_at >= $as_of THEN 0 ELSE orders.refund END * rates.rate AS DECIMAL(18, 4)
    ) AS refund_value,
    CASE WHEN orders.refunded_at < $as_of THEN local_date(orders.refunded_at) END AS refunded_on,
    CAST(orders.cost * rates.rate AS DECIMAL(18, 4)) AS cost_value,
    orders.coupon_campaign AS coupon_campaign_id,
    CAST(orders.coupon * rates.rate AS DECIMAL(18, 4)) AS coupon_value,
    orders.status = 'paid' AND orders.customer IS NOT NULL AS is_eligible
FROM orders
LEFT JOIN rates
    ON rates.currency = orders.currency
    AND rates.rate_date = local_date(orders.ordered_at)
WHERE orders.ordered_at < $as_of
