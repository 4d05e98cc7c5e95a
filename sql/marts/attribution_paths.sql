-- A step is a channel with a campaign. Collapsed consecutively, a step that repeats the one before it is left out;
-- collapsed to the first, a step that was there before is.
SELECT
    order_id,
    CAST(ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY touched_at, source_order, touch_id) AS BIGINT)
        AS touch_position,
    touch_id,
    touched_at,
    channel,
    campaign_id
FROM (
    SELECT
        order_id,
        touch_id,
        touched_at,
        source_order,
        channel,
        campaign_id,
        LAG(touch_id) OVER in_order AS previous_touch_id,
        LAG(channel) OVER in_order AS previous_channel,
        LAG(campaign_id) OVER in_order AS previous_campaign_id,
        ROW_NUMBER() OVER (
            PARTITION BY order_id, channel, campaign_id
            ORDER BY touched_at, source_order, touch_id
        ) AS occurrence
    FROM attribution_window_touches
    WINDOW in_order AS (PARTITION BY order_id ORDER BY touched_at, source_order, touch_id)
) AS touches
WHERE $attribution_collapse = 'none'
    OR ($attribution_collapse = 'first' AND occurrence = 1)
    OR (
        $attribution_collapse = 'consecutive'
        AND (
            previous_touch_id IS NULL
            OR (channel IS DISTINCT FROM previous_channel)
            OR (campaign_id IS DISTINCT FROM previous_campaign_id)
        )
    )
