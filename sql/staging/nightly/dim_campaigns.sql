SELECT
    campaign_id,
    name AS campaign_name,
    channel,
    start_date,
    end_date,
    budget AS budget_value,
    $as_of AS as_of,
    '2' AS definition_version
FROM campaigns
