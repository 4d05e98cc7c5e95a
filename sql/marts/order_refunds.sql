-- What no single refund tells of an order's refunds is booked with the last.
SELECT order_id, customer_id, refunded_on, CAST(SUM(refund_value) AS DECIMAL(18, 4)) AS refund_value
FROM (
    SELECT orders.order_id, orders.customer_id, fact_refunds.refunded_on, fact_refunds.refund_value
    FROM fact_refunds
    INNER JOIN eligible_orders AS orders ON orders.order_id = fact_refunds.order_id
    WHERE fact_refunds.refunded_on < $as_of_date
    UNION ALL
    SELECT
        orders.order_id,
        orders.customer_id,
        COALESCE(orders.refunded_on, orders.order_date) AS refunded_on,
        orders.refund_value - COALESCE(told.refund_value, 0) AS refund_value
    FROM eligible_orders AS orders
    LEFT JOIN (
        SELECT order_id, SUM(refund_value) AS refund_value
        FROM fact_refunds
        WHERE refunded_on < $as_of_date
        GROUP BY order_id
    ) AS told ON told.order_id = orders.order_id
    WHERE orders.refund_value <> COALESCE(told.refund_value, 0)
) AS refunds
GROUP BY order_id, customer_id, refunded_on
HAVING SUM(refund_value) <> 0
