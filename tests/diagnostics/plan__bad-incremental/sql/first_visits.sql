SELECT customer_id, MIN(visited_at) AS visited_at FROM visits GROUP BY customer_id
