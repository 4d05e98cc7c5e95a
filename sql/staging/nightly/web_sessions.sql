-- A session is told by its first event with a campaign's mark, or else by its first event. People who share a browser
-- may share a session; each of them has a touch of their own.
SELECT
    session_id,
    customer_id,
    FIRST_VALUE(event_id ORDER BY occurred_at, event_id) AS first_event_id,
    MIN(occurred_at) AS started_at,
    MAX(occurred_at) AS ended_at,
    FIRST_VALUE(utm_campaign ORDER BY utm_campaign IS NULL, utm_medium IS NULL, occurred_at, event_id) AS utm_campaign,
    FIRST_VALUE(utm_medium ORDER BY utm_campaign IS NULL, utm_medium IS NULL, occurred_at, event_id) AS utm_medium,
    FIRST_VALUE(referrer ORDER BY occurred_at, event_id) AS referrer
FROM web_events
WHERE customer_id IS NOT NULL AND occurred_at < $as_of
GROUP BY session_id, customer_id
