-- An online order tells the sum of its refunds and the day of the last one; each return to a store is a receipt of its own.
SELECT order_id, refunded_on, refund_value
FROM online_order_values
WHERE refund_value > 0
UNION ALL
SELECT
    store_order_values.order_id,
    local_date(returns.sold_at) AS refunded_on,
    returns.returned_value AS refund_value
FROM (
    SELECT
        CASE WHEN is_sale THEN receipt_id ELSE original_receipt_id END AS order_id,
        sold_at,
        returned_value
    FROM store_receipts
    WHERE returned_value > 0
) AS returns
INNER JOIN store_order_values
    ON store_order_values.order_id = returns.order_id
    AND store_order_values.is_sale
