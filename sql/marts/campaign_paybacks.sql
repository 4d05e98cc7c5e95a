SELECT
    campaigns.campaign_id,
    campaigns.model,
    campaigns.month_start,
    MIN(CASE WHEN CAST(value.cum_contribution_per_customer AS DOUBLE) >= campaigns.cac THEN value.month_index END)
        AS payback_months,
    MAX(CASE WHEN value.is_latest THEN CAST(value.cum_contribution_per_customer AS DOUBLE) END) AS contribution_to_date
FROM campaign_month_values AS campaigns
INNER JOIN (
    SELECT
        cohort_month,
        month_index,
        cum_contribution_per_customer,
        ROW_NUMBER() OVER (PARTITION BY cohort_month ORDER BY month_index DESC) = 1 AS is_latest
    FROM acquisition_value
    WHERE is_complete
) AS value ON value.cohort_month = campaigns.month_start
WHERE campaigns.cac IS NOT NULL
GROUP BY campaigns.campaign_id, campaigns.model, campaigns.month_start
