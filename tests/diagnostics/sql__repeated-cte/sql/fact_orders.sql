WITH paid AS (
  SELECT id, amount FROM orders WHERE amount > 0
)
SELECT id, amount, amount / (SELECT max(amount) FROM paid) AS part
FROM paid
