-- Cash basis: a sale is booked on its own day and a refund on its own; on order basis the refund restates the order.
SELECT
    order_id,
    customer_id,
    'sale' AS movement,
    order_date AS booked_on,
    CAST(net_value + refund_value AS DECIMAL(18, 4)) AS value,
    $as_of AS as_of,
    '3' AS definition_version
FROM eligible_orders
UNION ALL
SELECT
    order_id,
    customer_id,
    'refund' AS movement,
    refunded_on AS booked_on,
    CAST(-refund_value AS DECIMAL(18, 4)) AS value,
    $as_of AS as_of,
    '3' AS definition_version
FROM order_refunds
