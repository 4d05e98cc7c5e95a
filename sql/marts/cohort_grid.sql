-- Every cohort meets every period from its own on, also those in which nobody bought. The calendar has no gaps,
-- so the position of a period is its distance from the cohort's first.
SELECT
    cohorts.cohort_start,
    cohorts.cohort_size,
    CAST(ROW_NUMBER() OVER (PARTITION BY cohorts.cohort_start ORDER BY cohort_periods.period_start) AS BIGINT) - 1
        AS period_index,
    cohort_periods.period_start,
    cohort_periods.period_end,
    cohort_periods.period_end <= $as_of_date AS is_complete
FROM (
    SELECT cohort_start, COUNT(*) AS cohort_size
    FROM cohort_members
    GROUP BY cohort_start
) AS cohorts
INNER JOIN cohort_periods ON cohort_periods.period_start >= cohorts.cohort_start
