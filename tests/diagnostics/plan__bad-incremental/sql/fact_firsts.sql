SELECT customer_id, visited_at FROM first_visits
