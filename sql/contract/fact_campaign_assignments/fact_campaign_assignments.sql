-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS assignment_id,
    CAST(NULL AS TEXT) AS campaign_id,
    CAST(NULL AS TEXT) AS customer_id,
    CAST(NULL AS TEXT) AS assigned_group,
    CAST(NULL AS TEXT) AS arm,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS assigned_at
WHERE FALSE
