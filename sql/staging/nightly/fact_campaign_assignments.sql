-- Who was chosen for a message, whether it was sent or held back. What came of it is not asked: intention to treat. Each
-- campaign has one treatment.
SELECT
    send_id AS assignment_id,
    campaign_id,
    customer_id,
    assigned_group,
    CAST(NULL AS TEXT) AS arm,
    assigned_at
FROM campaign_sends
WHERE customer_id IS NOT NULL AND assigned_at < $as_of
