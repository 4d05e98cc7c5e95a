SELECT campaign_id, campaign_name, 'email' AS channel, FALSE AS is_acquisition
FROM (VALUES ('mens', 'Mens E-Mail'), ('womens', 'Womens E-Mail')) AS arms (campaign_id, campaign_name)
