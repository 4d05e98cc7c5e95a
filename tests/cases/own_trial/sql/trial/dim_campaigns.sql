SELECT campaign_id, campaign_name, 'email' AS channel
FROM (VALUES ('mens', 'Mens E-Mail'), ('womens', 'Womens E-Mail')) AS arms (campaign_id, campaign_name)
