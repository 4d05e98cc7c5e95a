-- What a customer gained in a month has contributed since, up to each later month.
SELECT
    cohort_month,
    month_index,
    is_complete,
    CASE
        WHEN SUM(unknown_orders) OVER so_far = 0
            THEN CAST(SUM(contribution) OVER so_far / customers AS DECIMAL(18, 4))
    END AS cum_contribution_per_customer
FROM (
    SELECT
        first_orders.cohort_month,
        CAST(
            12 * (date_part('year', orders.order_month) - date_part('year', first_orders.cohort_month))
                + date_part('month', orders.order_month) - date_part('month', first_orders.cohort_month)
            AS BIGINT
        ) AS month_index,
        CAST(orders.order_month + INTERVAL '1 month' AS DATE) <= $as_of_date AS is_complete,
        SUM(orders.contribution_value) AS contribution,
        COUNT(*) - COUNT(orders.contribution_value) AS unknown_orders,
        MIN(first_orders.customers) AS customers
    FROM attribution_conversions AS orders
    INNER JOIN (
        SELECT
            customer_id,
            order_month AS cohort_month,
            COUNT(*) OVER (PARTITION BY order_month) AS customers
        FROM attribution_conversions
        WHERE is_first_order
    ) AS first_orders ON first_orders.customer_id = orders.customer_id
    GROUP BY first_orders.cohort_month, orders.order_month
) AS months
WINDOW so_far AS (PARTITION BY cohort_month ORDER BY month_index ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
