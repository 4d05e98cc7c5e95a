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
        period_start('month', spend_date) AS month_start,
        CAST(SUM(spend_value) AS DECIMAL(18, 4)) AS spend
    FROM fact_campaign_spend
    WHERE spend_date < $as_of_date
    GROUP BY campaign_id, period_start('month', spend_date)
) AS spent
LEFT JOIN dim_campaigns ON dim_campaigns.campaign_id = spent.campaign_id
