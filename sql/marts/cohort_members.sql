SELECT
    customer_id,
    MIN(order_date) AS first_order_date,
    MAX(order_date) AS last_order_date,
    CAST(date_trunc($cohort_period, MIN(order_date)) AS DATE) AS cohort_start,
    CAST(date_trunc($cohort_period, MAX(order_date)) AS DATE) AS last_period_start
FROM eligible_orders
GROUP BY customer_id
