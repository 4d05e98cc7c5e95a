SELECT campaign AS campaign_id, campaign AS campaign_name, channel, CAST(NULL AS BOOLEAN) AS is_acquisition
FROM campaigns
