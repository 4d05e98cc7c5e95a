SELECT
    campaigns.campaign_id,
    dim_campaigns.campaign_name,
    CASE
        WHEN campaigns.campaign_id IN ('(no campaign)', '(unattributed)') THEN campaigns.campaign_id
        ELSE dim_campaigns.channel
    END AS channel,
    campaigns.model,
    campaigns.month_start,
    CAST(campaigns.month_start + INTERVAL '1 month' AS DATE) AS month_end,
    CAST(campaigns.month_start + INTERVAL '1 month' AS DATE) <= $as_of_date AS is_complete,
    campaigns.spend,
    campaigns.acquisition_spend,
    campaigns.coupon_value,
    CAST(campaigns.spend + campaigns.coupon_value AS DECIMAL(18, 4)) AS total_cost,
    campaigns.touches,
    campaigns.attributed_conversions,
    campaigns.attributed_new_customers,
    campaigns.attributed_net_revenue,
    campaigns.attributed_refunds,
    campaigns.attributed_contribution,
    campaigns.net_revenue_without_cost,
    CASE
        WHEN campaigns.spend > 0
            THEN CAST(campaigns.attributed_net_revenue AS DOUBLE) / CAST(campaigns.spend AS DOUBLE)
    END AS roas,
    CASE
        WHEN campaigns.spend > 0
            THEN CAST(campaigns.attributed_contribution - campaigns.spend - campaigns.coupon_value AS DOUBLE)
                / CAST(campaigns.spend + campaigns.coupon_value AS DOUBLE)
    END AS roi,
    CASE
        WHEN month_totals.spend > 0 THEN CAST(month_totals.net_revenue AS DOUBLE) / CAST(month_totals.spend AS DOUBLE)
    END AS mer,
    campaigns.cac,
    CASE
        WHEN month_totals.acquisition_spend > 0
            THEN CAST(month_totals.acquisition_spend AS DOUBLE) / NULLIF(month_totals.new_customers, 0)
    END AS blended_cac,
    campaign_paybacks.payback_months,
    campaign_paybacks.contribution_to_date / campaigns.cac AS ltv_to_cac,
    campaigns.spend = 0
        AND campaigns.touches > 0
        AND campaigns.campaign_id NOT IN ('(no campaign)', '(unattributed)') AS spend_missing,
    $spend_timezone AS spend_tz,
    CAST($attribution_days AS BIGINT) AS attribution_days,
    $as_of AS as_of,
    '3' AS definition_version
FROM campaign_month_values AS campaigns
LEFT JOIN dim_campaigns ON dim_campaigns.campaign_id = campaigns.campaign_id
LEFT JOIN month_totals ON month_totals.month_start = campaigns.month_start
LEFT JOIN campaign_paybacks
    ON campaign_paybacks.campaign_id = campaigns.campaign_id
    AND campaign_paybacks.model = campaigns.model
    AND campaign_paybacks.month_start = campaigns.month_start
