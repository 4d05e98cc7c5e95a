-- A window of n days is n times 24 hours before the order, so it does not depend on the time zone. A coupon is a cost of
-- the campaign that funds it and not of the order, so the order's contribution is that before the coupon. Where neither
-- cost nor margin is known it stays unknown: nothing is made up, least of all that all of a sale is gain.
SELECT
    orders.order_id,
    orders.customer_id,
    orders.ordered_at,
    orders.ordered_at - CAST(concat($attribution_days, ' days') AS INTERVAL) AS window_opened_at,
    CASE WHEN $reset_after_conversion THEN orders.previous_ordered_at END AS path_begins_after,
    orders.order_date,
    orders.order_month,
    orders.order_number = 1 AS is_first_order,
    orders.net_value,
    orders.refund_value,
    orders.refunded_on,
    orders.coupon_value,
    CAST(
        COALESCE(
            orders.net_value - orders.cost_value,
            orders.net_value * order_margins.margin_rate - order_margins.known_cost_value,
            orders.net_value * CAST($margin_rate AS DECIMAL(9, 6))
        ) + orders.coupon_value AS DECIMAL(18, 4)
    ) AS contribution_value,
    orders.cost_value IS NULL AND COALESCE(order_margins.is_estimated, TRUE) AS is_estimated
FROM eligible_orders AS orders
LEFT JOIN order_margins ON order_margins.order_id = orders.order_id
