-- The least gap that is at least as long as nine tenths of the customer's gaps.
SELECT customer_id, gap_days AS usual_gap_days
FROM (
    SELECT
        customer_id,
        gap_days,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY gap_days, order_date) AS place,
        COUNT(*) OVER (PARTITION BY customer_id) AS gaps
    FROM (
        SELECT customer_id, order_date, next_order_date - order_date AS gap_days
        FROM customer_order_days
        WHERE next_order_date IS NOT NULL
    ) AS ended
) AS ranked
WHERE gaps >= 5 AND place = (9 * gaps + 9) / 10
