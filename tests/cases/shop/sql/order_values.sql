SELECT order_id, customer_id, _event_date AS day, sku, amount, amount >= $big AS is_big
FROM orders
WHERE placed_at < $as_of
