-- A sum of which a part is unknown is unknown.
SELECT
    campaign_id,
    model,
    order_month AS month_start,
    CAST(SUM(weight) AS DECIMAL(24, 12)) AS attributed_conversions,
    CAST(COALESCE(SUM(weight) FILTER (WHERE is_first_order), 0) AS DECIMAL(24, 12)) AS attributed_new_customers,
    CAST(SUM(net_value) AS DECIMAL(18, 4)) AS attributed_net_revenue,
    CAST(SUM(refund_value) AS DECIMAL(18, 4)) AS attributed_refunds,
    CASE WHEN COUNT(contribution_value) = COUNT(*) THEN CAST(SUM(contribution_value) AS DECIMAL(18, 4)) END
        AS attributed_contribution,
    CAST(COALESCE(SUM(net_value) FILTER (WHERE is_estimated), 0) AS DECIMAL(18, 4)) AS net_revenue_without_cost
FROM fact_attribution_credits
GROUP BY campaign_id, model, order_month
