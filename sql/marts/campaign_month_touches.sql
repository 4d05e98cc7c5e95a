SELECT
    COALESCE(campaign_id, '(no campaign)') AS campaign_id,
    period_start('month', touch_date) AS month_start,
    COUNT(*) AS touches
FROM fact_touches
WHERE touched_at < $as_of
GROUP BY COALESCE(campaign_id, '(no campaign)'), period_start('month', touch_date)
