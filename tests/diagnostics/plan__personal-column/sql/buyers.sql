SELECT lower(email) AS address, COUNT(email) AS orders, MIN(born) AS born, SUM(amount) AS amount
FROM orders
GROUP BY lower(email)
