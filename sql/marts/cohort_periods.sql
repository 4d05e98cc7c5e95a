-- The calendar from the period of the first eligible order to that of the last covered day, without gaps.
-- Without orders it is empty. Calendar periods, not runs of 7 or 30 days, so that they agree with finance.
SELECT
    period_start,
    CAST(
        CASE $cohort_period
            WHEN 'week' THEN period_start + INTERVAL '7 days'
            WHEN 'quarter' THEN period_start + INTERVAL '3 months'
            ELSE period_start + INTERVAL '1 month'
        END AS DATE
    ) AS period_end
FROM (
    SELECT unnest(
        CASE $cohort_period
            WHEN 'week' THEN generate_series(first_start, $as_of_date - 1, INTERVAL '7 days')
            WHEN 'quarter' THEN generate_series(first_start, $as_of_date - 1, INTERVAL '3 months')
            ELSE generate_series(first_start, $as_of_date - 1, INTERVAL '1 month')
        END
    ) AS period_start
    FROM (
        SELECT period_start($cohort_period, MIN(order_date)) AS first_start
        FROM eligible_orders
    ) AS beginning
) AS periods
