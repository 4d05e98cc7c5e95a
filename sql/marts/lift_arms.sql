-- A campaign of which there is nobody but a control group has one arm with nobody in it.
SELECT campaign_id, arm, COUNT(*) OVER (PARTITION BY campaign_id) AS arms
FROM (
    SELECT campaign_id, arm
    FROM lift_groups
    WHERE assigned_group = 'treatment'
    UNION ALL
    SELECT controls.campaign_id, 'treatment' AS arm
    FROM (SELECT campaign_id FROM lift_groups WHERE assigned_group = 'control') AS controls
    LEFT ANTI JOIN (SELECT campaign_id FROM lift_groups WHERE assigned_group = 'treatment') AS treated
        ON treated.campaign_id = controls.campaign_id
) AS listed
