-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS campaign_id,
    CAST(NULL AS DATE) AS spend_date,
    CAST(NULL AS DECIMAL(18, 4)) AS spend_value
WHERE FALSE
