SELECT
    coupon_campaign_id AS campaign_id,
    order_month AS month_start,
    CAST(SUM(coupon_value) AS DECIMAL(18, 4)) AS coupon_value
FROM eligible_orders
WHERE coupon_campaign_id IS NOT NULL
GROUP BY coupon_campaign_id, order_month
