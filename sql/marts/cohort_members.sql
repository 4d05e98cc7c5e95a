SELECT
    customer_id,
    MIN(order_date) AS first_order_date,
    MAX(order_date) AS last_order_date,
    period_start($cohort_period, MIN(order_date)) AS cohort_start,
    period_start($cohort_period, MAX(order_date)) AS last_period_start
FROM eligible_orders
GROUP BY customer_id
