SELECT
    order_id,
    customer_id,
    local_date(placed_at) AS order_date,
    status,
    items_amount,
    discount_amount,
    CASE WHEN refunded_at < $as_of THEN refund_amount ELSE CAST(0 AS DECIMAL(18, 4)) END AS known_refund,
    CAST(
        items_amount - discount_amount - CASE WHEN refunded_at < $as_of THEN refund_amount ELSE 0 END
        AS DECIMAL(18, 4)
    ) AS net_value
FROM online_orders
WHERE placed_at < $as_of AND status IN ('paid', 'shipped', 'refunded')
ORDER BY order_id
