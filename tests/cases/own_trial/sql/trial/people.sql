SELECT CAST(_record AS TEXT) AS customer_id, segment, conversion = 1 AS has_bought, spend
FROM trial
