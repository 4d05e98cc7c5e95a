SELECT order_id, placed_at, updated_at, items_amount, refund_amount, email, phone, cookie_id, coupon_campaign_id
FROM clean.online_orders
WHERE order_id = 'W218DF205331C'
