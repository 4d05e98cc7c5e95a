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
    SELECT COALESCE(previous_channel, '(start)') AS from_state, channel AS to_state
    FROM attribution_lost_touches
    UNION ALL
    SELECT channel AS from_state, '(null)' AS to_state
    FROM attribution_lost_touches
    WHERE is_last
) AS steps
GROUP BY from_state, to_state
