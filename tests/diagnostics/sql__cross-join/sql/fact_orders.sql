SELECT o.id, o.amount
FROM orders AS o, large_orders AS l
WHERE o.amount > 10
