-- A platform's day is taken as it is labelled and never shifted to another time zone. Spend is there to gain customers
-- unless its campaign is known to be for others.
SELECT
    spent.campaign_id,
    spent.month_start,
    spent.spend,
    CASE
        WHEN COALESCE(dim_campaigns.is_acquisition, TRUE) THEN spent.spend
        ELSE CAST(0 AS DECIMAL(18, 4))
    END AS acquisition_spend
FROM (
    SELECT
        campaign_id,
        CAST(date_trunc('month', spend_date) AS DATE) AS month_start,
        CAST(SUM(spend_value) AS DECIMAL(18, 4)) AS spend
    FROM fact_campaign_spend
    WHERE spend_date < $as_of_date
    GROUP BY campaign_id, CAST(date_trunc('month', spend_date) AS DATE)
) AS spent
LEFT JOIN dim_campaigns ON dim_campaigns.campaign_id = spent.campaign_id
