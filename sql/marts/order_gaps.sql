-- Of those who ever came back. The time since the last order is a gap that has not ended yet: leaving it out would
-- make gaps look shorter than they are. An estimate that is kept looks at nothing from its day on.
SELECT
    days.customer_id,
    days.order_date,
    COALESCE(CASE WHEN days.next_order_date < ends.until THEN days.next_order_date END, ends.until - 1) - days.order_date
        AS gap_days,
    COALESCE(days.next_order_date < ends.until, FALSE) AS is_ended
FROM customer_order_days AS days
CROSS JOIN (
    SELECT LEAST($as_of_date, COALESCE(CAST(NULLIF($churn_estimated_on, '') AS DATE), $as_of_date)) AS until
) AS ends
INNER JOIN customer_order_days AS second_days
    ON second_days.customer_id = days.customer_id
    AND second_days.day_number = 2
    AND second_days.order_date < ends.until
WHERE days.order_date < ends.until
