-- Being written to is no sighting: it tells nothing of the customer.
SELECT customer_id, MAX(seen_at) AS last_seen_at
FROM (
    SELECT customer_id, ended_at AS seen_at FROM web_sessions
    UNION ALL
    SELECT customer_id, ended_at AS seen_at FROM app_sessions
    UNION ALL
    SELECT customer_id, placed_at AS seen_at FROM online_order_values WHERE customer_id IS NOT NULL
    UNION ALL
    SELECT customer_id, sold_at AS seen_at FROM store_receipts WHERE customer_id IS NOT NULL
) AS sightings
GROUP BY customer_id
