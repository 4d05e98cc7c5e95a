SELECT customer AS customer_id, first_seen_at
FROM customers
WHERE first_seen_at < $as_of
