WITH known AS (SELECT id, amount FROM orders WHERE placed_at < $as_of)
SELECT id, amount FROM known
