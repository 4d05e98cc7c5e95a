-- The export does not tell what a campaign is for; its channel may.
SELECT
    campaign_id,
    name AS campaign_name,
    channel,
    strpos(
        concat(',', regexp_replace(trim($retention_channels), ' *, *', ',', 'g'), ','),
        concat(',', channel, ',')
    ) = 0 AS is_acquisition,
    start_date,
    end_date,
    budget AS budget_value,
    $as_of AS as_of,
    '2' AS definition_version
FROM campaigns
