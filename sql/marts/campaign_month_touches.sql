SELECT
    COALESCE(campaign_id, '(no campaign)') AS campaign_id,
    CAST(date_trunc('month', touch_date) AS DATE) AS month_start,
    COUNT(*) AS touches
FROM fact_touches
WHERE touched_at < $as_of
GROUP BY COALESCE(campaign_id, '(no campaign)'), CAST(date_trunc('month', touch_date) AS DATE)
