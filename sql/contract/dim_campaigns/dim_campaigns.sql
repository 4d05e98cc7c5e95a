-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS campaign_id,
    CAST(NULL AS TEXT) AS campaign_name,
    CAST(NULL AS TEXT) AS channel,
    CAST(NULL AS BOOLEAN) AS is_acquisition
WHERE FALSE
