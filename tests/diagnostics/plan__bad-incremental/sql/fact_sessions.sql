SELECT session_id, MIN(customer_id) AS customer_id, COUNT(*) AS visits
FROM visits
GROUP BY session_id
