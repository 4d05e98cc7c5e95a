SELECT
    touch_id,
    customer AS customer_id,
    touched_at,
    local_date(touched_at) AS touch_date,
    channel,
    campaign AS campaign_id,
    CAST(NULL AS TEXT) AS session_id,
    1 AS source_order
FROM touches
WHERE touched_at < $as_of
