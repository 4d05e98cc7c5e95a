-- A spell is a run of order days none of which lies more than churn_days after the one before. It ends on the day
-- the threshold passes, so an order on that very day still keeps the customer, and later orders never move it.
SELECT
    customer_id,
    spell_number,
    MIN(order_date) AS started_on,
    MAX(order_date) AS last_order_date,
    CASE
        WHEN MAX(order_date) + MAX(churn_days) < $as_of_date THEN MAX(order_date) + MAX(churn_days)
    END AS churned_on
FROM (
    SELECT
        customer_order_days.customer_id,
        customer_order_days.order_date,
        churn_thresholds.churn_days,
        SUM(
            CASE
                WHEN customer_order_days.order_date - customer_order_days.previous_order_date
                    <= churn_thresholds.churn_days THEN 0
                ELSE 1
            END
        ) OVER (
            PARTITION BY customer_order_days.customer_id
            ORDER BY customer_order_days.order_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS spell_number
    FROM customer_order_days
    CROSS JOIN churn_thresholds
) AS numbered
GROUP BY customer_id, spell_number
