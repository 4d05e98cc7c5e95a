-- Recency looks at all orders, so that a lapsed buyer keeps one; frequency and monetary value look at the window.
-- The day before a snapshot is its last whole day and has recency 0.
SELECT
    snapshot,
    customer_id,
    MAX(order_date) AS last_order_date,
    MAX(snapshot_date) - 1 - MAX(order_date) AS recency_days,
    CASE
        WHEN $rfm_frequency = 'order_days'
            THEN COUNT(DISTINCT order_date) FILTER (WHERE order_date >= snapshot_date - $rfm_window_days)
        ELSE COUNT(*) FILTER (WHERE order_date >= snapshot_date - $rfm_window_days)
    END AS frequency,
    COUNT(*) FILTER (WHERE order_date >= snapshot_date - $rfm_window_days) AS orders,
    CAST(
        COALESCE(SUM(net_value) FILTER (WHERE order_date >= snapshot_date - $rfm_window_days), 0) AS DECIMAL(18, 4)
    ) AS monetary_total
FROM eligible_orders
INNER JOIN rfm_snapshots ON rfm_snapshots.snapshot_date > eligible_orders.order_date
GROUP BY snapshot, customer_id
