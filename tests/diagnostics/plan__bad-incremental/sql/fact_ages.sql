SELECT customer_id, session_id, $as_of - visited_at > INTERVAL '7 days' AS is_old
FROM visits
