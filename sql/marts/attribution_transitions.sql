-- Every path goes from (start) through its channels to (conversion) or (null).
SELECT from_state, to_state, COUNT(*) AS transitions
FROM (
    SELECT
        COALESCE(LAG(channel) OVER (PARTITION BY order_id ORDER BY touch_position), '(start)') AS from_state,
        channel AS to_state
    FROM attribution_paths
    UNION ALL
    SELECT channel AS from_state, '(conversion)' AS to_state
    FROM attribution_steps
    WHERE touch_position = touches
    UNION ALL
    SELECT
        COALESCE(
            LAG(channel) OVER (
                PARTITION BY customer_id, orders_before
                ORDER BY touched_at, source_order, touch_id
            ),
            '(start)'
        ) AS from_state,
        channel AS to_state
    FROM attribution_lost_touches
    UNION ALL
    SELECT channel AS from_state, '(null)' AS to_state
    FROM (
        SELECT
            channel,
            LEAD(touch_id) OVER (
                PARTITION BY customer_id, orders_before
                ORDER BY touched_at, source_order, touch_id
            ) AS next_touch_id
        FROM attribution_lost_touches
    ) AS lost
    WHERE next_touch_id IS NULL
) AS steps
GROUP BY from_state, to_state
