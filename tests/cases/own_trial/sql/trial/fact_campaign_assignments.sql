-- Each arm is a campaign; the customers without e-mail are the control group of both.
SELECT
    concat(dim_campaigns.campaign_id, ':', people.customer_id) AS assignment_id,
    dim_campaigns.campaign_id,
    people.customer_id,
    CASE WHEN people.segment = 'No E-Mail' THEN 'control' ELSE 'treatment' END AS assigned_group,
    CAST('2008-03-20T12:00:00Z' AS TIMESTAMP WITH TIME ZONE) AS assigned_at
FROM people
INNER JOIN dim_campaigns
    ON dim_campaigns.campaign_name = people.segment
    OR people.segment = 'No E-Mail'
