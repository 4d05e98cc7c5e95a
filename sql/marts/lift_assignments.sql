-- Intention to treat: the first choice counts, whatever came of it. Of choices at one time the control group's counts.
SELECT campaign_id, customer_id, assigned_group, arm, assigned_at
FROM (
    SELECT
        campaign_id,
        customer_id,
        assigned_group,
        CASE WHEN assigned_group = 'treatment' THEN COALESCE(arm, 'treatment') END AS arm,
        assigned_at,
        ROW_NUMBER() OVER (
            PARTITION BY campaign_id, customer_id
            ORDER BY assigned_at, assigned_group, arm, assignment_id
        ) AS position
    FROM fact_campaign_assignments
    WHERE assigned_at < $as_of
) AS assignments
WHERE position = 1
