-- Each order day begins a time of being new, active or reactivated; being at risk and churned follow when no order
-- came up to and with the day the threshold passes. That day counts only when it is over.
SELECT customer_id, order_date, order_date AS from_date, state
FROM (
    SELECT
        days.customer_id,
        days.order_date,
        CASE
            WHEN days.previous_order_date IS NULL THEN 'new'
            WHEN days.order_date - days.previous_order_date > thresholds.churn_days THEN 'reactivated'
            ELSE 'active'
        END AS state
    FROM customer_order_days AS days
    CROSS JOIN churn_thresholds AS thresholds
) AS orders
UNION ALL
SELECT days.customer_id, days.order_date, days.order_date + thresholds.risk_days AS from_date, 'at_risk' AS state
FROM customer_order_days AS days
CROSS JOIN churn_thresholds AS thresholds
WHERE thresholds.risk_days < thresholds.churn_days
    AND days.order_date + thresholds.risk_days < COALESCE(days.next_order_date, $as_of_date)
UNION ALL
SELECT days.customer_id, days.order_date, days.order_date + thresholds.churn_days AS from_date, 'churned' AS state
FROM customer_order_days AS days
CROSS JOIN churn_thresholds AS thresholds
WHERE days.order_date + thresholds.churn_days < COALESCE(days.next_order_date, $as_of_date)
