-- A session is told by its first event with a campaign's mark, or else by its first event. People who share a browser
-- may share a session; each of them has a touch of their own.
SELECT
    session_id,
    customer_id,
    first_event['event_id'] AS first_event_id,
    started_at,
    ended_at,
    marked_event['utm_campaign'] AS utm_campaign,
    marked_event['utm_medium'] AS utm_medium,
    first_event['referrer'] AS referrer
FROM (
    SELECT
        session_id,
        customer_id,
        MIN(occurred_at) AS started_at,
        MAX(occurred_at) AS ended_at,
        FIRST_VALUE(named_struct('event_id', event_id, 'referrer', referrer) ORDER BY occurred_at, event_id)
            AS first_event,
        FIRST_VALUE(
            named_struct('utm_campaign', utm_campaign, 'utm_medium', utm_medium)
            ORDER BY utm_campaign IS NULL, utm_medium IS NULL, occurred_at, event_id
        ) AS marked_event
    FROM web_events
    WHERE customer_id IS NOT NULL AND occurred_at < $as_of
    GROUP BY session_id, customer_id
) AS sessions
