SELECT
    campaign_id,
    customer_id,
    MIN(touched_at) AS first_touched_at,
    MIN(touched_at) + CAST(concat($lift_days, ' days') AS INTERVAL) <= $as_of AS is_complete
FROM fact_touches
WHERE campaign_id IS NOT NULL AND touched_at < $as_of
GROUP BY campaign_id, customer_id
