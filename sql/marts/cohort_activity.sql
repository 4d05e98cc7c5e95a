-- Two steps, so that a customer's orders of a period collapse to one row before customers are counted.
SELECT
    cohort_members.cohort_start,
    customer_periods.period_start,
    COUNT(*) AS active_customers,
    SUM(customer_periods.orders) AS orders,
    CAST(SUM(customer_periods.revenue) AS DECIMAL(18, 4)) AS revenue
FROM (
    SELECT
        customer_id,
        period_start($cohort_period, order_date) AS period_start,
        COUNT(*) AS orders,
        SUM(net_value) AS revenue
    FROM eligible_orders
    GROUP BY customer_id, period_start($cohort_period, order_date)
) AS customer_periods
INNER JOIN cohort_members ON cohort_members.customer_id = customer_periods.customer_id
GROUP BY cohort_members.cohort_start, customer_periods.period_start
