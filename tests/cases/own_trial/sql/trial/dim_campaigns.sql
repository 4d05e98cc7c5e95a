SELECT campaign_id, campaign_name, 'email' AS channel, FALSE AS is_acquisition
FROM (VALUES ('trial', 'E-mail of March')) AS campaigns (campaign_id, campaign_name)
