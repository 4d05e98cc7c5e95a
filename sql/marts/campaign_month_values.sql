SELECT
    campaign_months.campaign_id,
    attribution_models.model,
    campaign_months.month_start,
    COALESCE(spend.spend, CAST(0 AS DECIMAL(18, 4))) AS spend,
    COALESCE(spend.acquisition_spend, CAST(0 AS DECIMAL(18, 4))) AS acquisition_spend,
    COALESCE(coupons.coupon_value, CAST(0 AS DECIMAL(18, 4))) AS coupon_value,
    COALESCE(touches.touches, 0) AS touches,
    COALESCE(credits.attributed_conversions, CAST(0 AS DECIMAL(24, 12))) AS attributed_conversions,
    COALESCE(credits.attributed_new_customers, CAST(0 AS DECIMAL(24, 12))) AS attributed_new_customers,
    COALESCE(credits.attributed_net_revenue, CAST(0 AS DECIMAL(18, 4))) AS attributed_net_revenue,
    COALESCE(credits.attributed_refunds, CAST(0 AS DECIMAL(18, 4))) AS attributed_refunds,
    CASE
        WHEN credits.campaign_id IS NULL THEN CAST(0 AS DECIMAL(18, 4))
        ELSE credits.attributed_contribution
    END AS attributed_contribution,
    COALESCE(credits.net_revenue_without_cost, CAST(0 AS DECIMAL(18, 4))) AS net_revenue_without_cost,
    CASE
        WHEN spend.acquisition_spend > 0 AND credits.attributed_new_customers > 0
            THEN CAST(spend.acquisition_spend AS DOUBLE) / CAST(credits.attributed_new_customers AS DOUBLE)
    END AS cac
FROM campaign_months
CROSS JOIN attribution_models
LEFT JOIN campaign_month_credits AS credits
    ON credits.campaign_id = campaign_months.campaign_id
    AND credits.month_start = campaign_months.month_start
    AND credits.model = attribution_models.model
LEFT JOIN campaign_month_spend AS spend
    ON spend.campaign_id = campaign_months.campaign_id
    AND spend.month_start = campaign_months.month_start
LEFT JOIN campaign_month_coupons AS coupons
    ON coupons.campaign_id = campaign_months.campaign_id
    AND coupons.month_start = campaign_months.month_start
LEFT JOIN campaign_month_touches AS touches
    ON touches.campaign_id = campaign_months.campaign_id
    AND touches.month_start = campaign_months.month_start
