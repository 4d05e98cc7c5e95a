SELECT id, amount
FROM orders
WHERE placed_at >= $as_of_date - 30
  AND placed_at < '2026-01-01 00:00:00'
