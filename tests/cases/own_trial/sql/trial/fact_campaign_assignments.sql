-- Each kind of e-mail is an arm; the customers without e-mail are the control group of both.
SELECT
    customer_id AS assignment_id,
    'trial' AS campaign_id,
    customer_id,
    CASE WHEN segment = 'No E-Mail' THEN 'control' ELSE 'treatment' END AS assigned_group,
    NULLIF(segment, 'No E-Mail') AS arm,
    CAST('2008-03-20T12:00:00Z' AS TIMESTAMP WITH TIME ZONE) AS assigned_at
FROM people
