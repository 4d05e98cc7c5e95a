-- For a shop that has none.
SELECT
    CAST(NULL AS TEXT) AS customer_id,
    CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS first_seen_at
WHERE FALSE
