SELECT id, rounded(amount) AS amount FROM orders
