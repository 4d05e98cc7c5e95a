SELECT cohort_start, last_period_start AS period_start, COUNT(*) AS last_seen_customers
FROM cohort_members
GROUP BY cohort_start, last_period_start
