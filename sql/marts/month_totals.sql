SELECT
    month_start,
    CAST(SUM(net_revenue) AS DECIMAL(18, 4)) AS net_revenue,
    SUM(new_customers) AS new_customers,
    CAST(SUM(spend) AS DECIMAL(18, 4)) AS spend,
    CAST(SUM(acquisition_spend) AS DECIMAL(18, 4)) AS acquisition_spend
FROM (
    SELECT
        order_month AS month_start,
        net_value AS net_revenue,
        CASE WHEN order_number = 1 THEN 1 ELSE 0 END AS new_customers,
        CAST(0 AS DECIMAL(18, 4)) AS spend,
        CAST(0 AS DECIMAL(18, 4)) AS acquisition_spend
    FROM eligible_orders
    UNION ALL
    SELECT
        month_start,
        CAST(0 AS DECIMAL(18, 4)) AS net_revenue,
        0 AS new_customers,
        spend,
        acquisition_spend
    FROM campaign_month_spend
) AS amounts
GROUP BY month_start
