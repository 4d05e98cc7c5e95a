SELECT customer_id, COUNT(*) AS orders, SUM(amount) AS revenue
FROM order_values
WHERE customer_id IS NOT NULL
GROUP BY customer_id
