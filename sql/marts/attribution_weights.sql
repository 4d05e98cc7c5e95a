-- The largest weight takes what rounding leaves over; among equal weights that is the earliest touch.
SELECT
    order_id,
    model,
    touch_position,
    touch_id,
    channel,
    campaign_id,
    is_fallback,
    weight,
    ROW_NUMBER() OVER (PARTITION BY order_id, model ORDER BY weight DESC, touch_position ASC) = 1 AS takes_remainder
FROM (
    SELECT
        order_id,
        model,
        touch_position,
        touch_id,
        channel,
        campaign_id,
        is_fallback,
        CAST(
            CAST(raw_weight AS DOUBLE) / CAST(SUM(raw_weight) OVER (PARTITION BY order_id, model) AS DOUBLE)
            AS DECIMAL(13, 12)
        ) AS weight
    FROM attribution_raw_weights
) AS weights
