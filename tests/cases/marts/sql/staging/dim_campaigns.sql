SELECT campaign AS campaign_id, campaign AS campaign_name, channel
FROM campaigns
