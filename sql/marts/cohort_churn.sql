SELECT
    cohort_grid.cohort_start,
    cohort_grid.period_index,
    cohort_grid.period_start,
    cohort_grid.period_end,
    cohort_grid.is_complete,
    COALESCE(
        SUM(COALESCE(cohort_churn_events.started_spells - cohort_churn_events.ended_spells, 0)) OVER (
            PARTITION BY cohort_grid.cohort_start
            ORDER BY cohort_grid.period_index
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        0
    ) AS customers_at_start,
    COALESCE(cohort_churn_events.started_spells - cohort_churn_events.reactivated_spells, 0) AS new_customers,
    COALESCE(cohort_churn_events.reactivated_spells, 0) AS reactivated_customers,
    COALESCE(cohort_churn_events.ended_spells_from_start, 0) AS churned_customers,
    COALESCE(cohort_churn_events.ended_spells - cohort_churn_events.ended_spells_from_start, 0)
        AS churned_arrivals
FROM cohort_grid
LEFT JOIN cohort_churn_events
    ON cohort_churn_events.cohort_start = cohort_grid.cohort_start
    AND cohort_churn_events.period_start = cohort_grid.period_start
