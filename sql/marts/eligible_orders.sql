SELECT
    order_id,
    customer_id,
    ordered_at,
    order_date,
    period_start('month', order_date) AS order_month,
    CAST(ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) AS BIGINT) AS order_number,
    LAG(ordered_at) OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) AS previous_ordered_at,
    net_value,
    refund_value,
    refunded_on,
    cost_value,
    coupon_campaign_id,
    coupon_value
FROM fact_orders
WHERE is_eligible AND ordered_at < $as_of
