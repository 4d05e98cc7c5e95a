-- A platform's day is taken as it is labelled and never shifted to another time zone.
SELECT
    campaign_id,
    CAST(date_trunc('month', spend_date) AS DATE) AS month_start,
    CAST(SUM(spend_value) AS DECIMAL(18, 4)) AS spend
FROM fact_campaign_spend
WHERE spend_date < $as_of_date
GROUP BY campaign_id, CAST(date_trunc('month', spend_date) AS DATE)
