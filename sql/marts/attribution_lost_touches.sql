-- What a customer saw in vain: touches in the window of no order. Those between two orders, or after the last, are one
-- path that ended in nothing. Collapsed to the first, it has no step twice, as paths to orders have none; repeats in a row
-- may stay, for a chain that goes from a channel to itself leads nowhere else by it.
SELECT
    customer_id,
    orders_before,
    touched_at,
    source_order,
    touch_id,
    channel,
    LAG(channel) OVER in_order AS previous_channel,
    LEAD(touch_id) OVER in_order IS NULL AS is_last
FROM (
    SELECT
        customer_id,
        orders_before,
        touched_at,
        source_order,
        touch_id,
        channel,
        ROW_NUMBER() OVER (
            PARTITION BY customer_id, orders_before, channel, campaign_id
            ORDER BY touched_at, source_order, touch_id
        ) AS occurrence
    FROM (
        SELECT
            customer_id,
            touched_at,
            source_order,
            touch_id,
            channel,
            campaign_id,
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
                attribution_touches.campaign_id,
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
                CAST(NULL AS TEXT) AS campaign_id,
                1 AS is_order
            FROM attribution_conversions
        ) AS happenings
    ) AS counted
    WHERE channel IS NOT NULL
) AS numbered
WHERE $attribution_collapse <> 'first' OR occurrence = 1
WINDOW in_order AS (PARTITION BY customer_id, orders_before ORDER BY touched_at, source_order, touch_id)
