SELECT
    month_start,
    CAST(SUM(net_revenue) AS DECIMAL(18, 4)) AS net_revenue,
    CAST(SUM(spend) AS DECIMAL(18, 4)) AS spend
FROM (
    SELECT order_month AS month_start, net_value AS net_revenue, CAST(0 AS DECIMAL(18, 4)) AS spend
    FROM eligible_orders
    UNION ALL
    SELECT month_start, CAST(0 AS DECIMAL(18, 4)) AS net_revenue, spend
    FROM campaign_month_spend
) AS amounts
GROUP BY month_start
