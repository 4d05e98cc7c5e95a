SELECT campaign AS campaign_id, spend_date, amount AS spend_value
FROM spend
WHERE spend_date < $as_of_date
