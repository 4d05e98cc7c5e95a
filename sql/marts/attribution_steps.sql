SELECT
    order_id,
    touch_position,
    touch_id,
    touched_at,
    channel,
    campaign_id,
    COUNT(*) OVER (PARTITION BY order_id) AS touches,
    COUNT(*) OVER (PARTITION BY order_id, channel) AS channel_touches,
    SUM(CASE WHEN channel_occurrence = 1 THEN 1 ELSE 0 END) OVER (PARTITION BY order_id) AS channels,
    MAX(touched_at) OVER (PARTITION BY order_id) AS last_touched_at,
    MAX(CASE WHEN channel <> $direct_channel THEN touch_position END) OVER (PARTITION BY order_id)
        AS last_position_not_direct
FROM (
    SELECT
        order_id,
        touch_position,
        touch_id,
        touched_at,
        channel,
        campaign_id,
        ROW_NUMBER() OVER (PARTITION BY order_id, channel ORDER BY touch_position) AS channel_occurrence
    FROM attribution_paths
) AS numbered
