-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS touch_id,
    CAST(NULL AS TEXT) AS customer_id,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS touched_at,
    CAST(NULL AS DATE) AS touch_date,
    CAST(NULL AS TEXT) AS channel,
    CAST(NULL AS TEXT) AS campaign_id,
    CAST(NULL AS TEXT) AS session_id,
    CAST(NULL AS BIGINT) AS source_order
WHERE FALSE
