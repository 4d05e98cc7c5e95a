-- Counts and sums tell what has happened so far; rates wait until the period is over.
SELECT
    cohort_start,
    $cohort_period AS period_grain,
    period_index,
    period_start,
    period_end,
    is_complete,
    cohort_size,
    active_customers,
    CASE WHEN is_complete THEN CAST(active_customers AS DOUBLE) / cohort_size END AS retention_classic,
    retained_customers,
    CASE WHEN is_complete THEN CAST(retained_customers AS DOUBLE) / cohort_size END AS retention_rolling,
    orders,
    revenue,
    cum_net_value,
    CASE WHEN is_complete THEN CAST(cum_net_value / cohort_size AS DECIMAL(18, 4)) END AS cum_per_member,
    customers_at_start,
    churned_customers,
    reactivated_customers,
    CASE
        WHEN is_complete THEN CAST(churned_customers AS DOUBLE) / NULLIF(customers_at_start, 0)
    END AS churn_rate,
    churn_days,
    threshold_rule,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        cohort_grid.cohort_start,
        cohort_grid.period_index,
        cohort_grid.period_start,
        cohort_grid.period_end,
        cohort_grid.is_complete,
        cohort_grid.cohort_size,
        COALESCE(cohort_activity.active_customers, 0) AS active_customers,
        COALESCE(cohort_activity.orders, 0) AS orders,
        COALESCE(cohort_activity.revenue, CAST(0 AS DECIMAL(18, 4))) AS revenue,
        CAST(
            SUM(COALESCE(cohort_activity.revenue, CAST(0 AS DECIMAL(18, 4)))) OVER so_far AS DECIMAL(18, 4)
        ) AS cum_net_value,
        cohort_grid.cohort_size
            - SUM(COALESCE(cohort_last_periods.last_seen_customers, 0)) OVER so_far
            + COALESCE(cohort_last_periods.last_seen_customers, 0) AS retained_customers,
        cohort_churn.customers_at_start,
        cohort_churn.churned_customers,
        cohort_churn.reactivated_customers
    FROM cohort_grid
    INNER JOIN cohort_churn
        ON cohort_churn.cohort_start = cohort_grid.cohort_start
        AND cohort_churn.period_start = cohort_grid.period_start
    LEFT JOIN cohort_activity
        ON cohort_activity.cohort_start = cohort_grid.cohort_start
        AND cohort_activity.period_start = cohort_grid.period_start
    LEFT JOIN cohort_last_periods
        ON cohort_last_periods.cohort_start = cohort_grid.cohort_start
        AND cohort_last_periods.period_start = cohort_grid.period_start
    WINDOW so_far AS (
        PARTITION BY cohort_grid.cohort_start
        ORDER BY cohort_grid.period_index
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
) AS counted
CROSS JOIN churn_thresholds
