SELECT
    session_id,
    customer_id,
    FIRST_VALUE(event_id ORDER BY occurred_at, event_id) AS first_event_id,
    MIN(occurred_at) AS started_at,
    MAX(occurred_at) AS ended_at,
    FIRST_VALUE(campaign_id ORDER BY campaign_id IS NULL, occurred_at, event_id) AS campaign_id
FROM app_events
WHERE customer_id IS NOT NULL AND occurred_at < $as_of
GROUP BY session_id, customer_id
