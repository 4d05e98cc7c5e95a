SELECT
    concat(campaign, ':', customer, ':', assigned_group) AS assignment_id,
    campaign AS campaign_id,
    customer AS customer_id,
    assigned_group,
    CAST(NULL AS TEXT) AS arm,
    assigned_at
FROM assignments
WHERE assigned_at < $as_of
