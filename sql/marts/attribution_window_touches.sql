-- Both ends of the window belong to it.
SELECT
    attribution_conversions.order_id,
    attribution_touches.touch_id,
    attribution_touches.touched_at,
    attribution_touches.source_order,
    attribution_touches.channel,
    attribution_touches.campaign_id
FROM attribution_conversions
INNER JOIN attribution_touches
    ON attribution_touches.customer_id = attribution_conversions.customer_id
    AND attribution_touches.touched_at >= attribution_conversions.window_opened_at
    AND attribution_touches.touched_at <= attribution_conversions.ordered_at
WHERE attribution_conversions.path_begins_after IS NULL
    OR attribution_touches.touched_at > attribution_conversions.path_begins_after
