-- A reactivation is no negative churn and a new customer is in no denominator, so that the rate is one of people
-- who could have left.
SELECT
    period_start,
    period_end,
    $cohort_period AS period_grain,
    is_final,
    customers_at_start,
    new_customers,
    reactivated_customers,
    churned_customers,
    churned_arrivals,
    customers_at_start + new_customers + reactivated_customers - churned_customers - churned_arrivals
        AS customers_at_end,
    CASE WHEN is_final THEN CAST(churned_customers AS DOUBLE) / NULLIF(customers_at_start, 0) END AS churn_rate,
    CASE
        WHEN is_final
            THEN CAST(churned_customers + churned_arrivals - reactivated_customers AS DOUBLE)
                / NULLIF(customers_at_start, 0)
    END AS net_churn_rate,
    risk_days,
    churn_days,
    threshold_rule,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        period_start,
        MIN(period_end) AS period_end,
        BOOL_AND(is_complete) AS is_final,
        SUM(customers_at_start) AS customers_at_start,
        SUM(new_customers) AS new_customers,
        SUM(reactivated_customers) AS reactivated_customers,
        SUM(churned_customers) AS churned_customers,
        SUM(churned_arrivals) AS churned_arrivals
    FROM cohort_churn
    GROUP BY period_start
) AS counted
CROSS JOIN churn_thresholds
