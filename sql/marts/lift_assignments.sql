-- Intention to treat: the first choice counts, whatever came of it. Of choices at one time the control group's counts.
SELECT
    campaign_id,
    customer_id,
    assigned_group,
    arm,
    assigned_at,
    least_group <> greatest_group OR COALESCE(least_arm <> greatest_arm, FALSE) AS is_reassigned
FROM (
    SELECT
        campaign_id,
        customer_id,
        assigned_group,
        arm,
        assigned_at,
        MIN(assigned_group) OVER of_customer AS least_group,
        MAX(assigned_group) OVER of_customer AS greatest_group,
        MIN(arm) OVER of_customer AS least_arm,
        MAX(arm) OVER of_customer AS greatest_arm,
        ROW_NUMBER() OVER (
            PARTITION BY campaign_id, customer_id
            ORDER BY assigned_at, assigned_group, arm, assignment_id
        ) AS position
    FROM (
        SELECT
            campaign_id,
            customer_id,
            assignment_id,
            assigned_group,
            CASE WHEN assigned_group = 'treatment' THEN COALESCE(arm, 'treatment') END AS arm,
            assigned_at
        FROM fact_campaign_assignments
        WHERE assigned_at < $as_of
    ) AS choices
    WINDOW of_customer AS (PARTITION BY campaign_id, customer_id)
) AS assignments
WHERE position = 1
