-- What a customer saw in vain: touches in the window of no order. Those between two orders, or after the last, are one
-- path that ended in nothing.
SELECT customer_id, orders_before, touched_at, source_order, touch_id, channel
FROM (
    SELECT
        customer_id,
        touched_at,
        source_order,
        touch_id,
        channel,
        SUM(is_order) OVER (
            PARTITION BY customer_id
            ORDER BY touched_at, is_order, touch_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS orders_before
    FROM (
        SELECT
            attribution_touches.customer_id,
            attribution_touches.touched_at,
            attribution_touches.source_order,
            attribution_touches.touch_id,
            attribution_touches.channel,
            0 AS is_order
        FROM attribution_touches
        LEFT ANTI JOIN attribution_window_touches
            ON attribution_window_touches.touch_id = attribution_touches.touch_id
        UNION ALL
        SELECT
            customer_id,
            ordered_at AS touched_at,
            CAST(NULL AS BIGINT) AS source_order,
            order_id AS touch_id,
            CAST(NULL AS TEXT) AS channel,
            1 AS is_order
        FROM attribution_conversions
    ) AS happenings
) AS counted
WHERE channel IS NOT NULL
