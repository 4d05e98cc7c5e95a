-- A minute lies between two touches.
SELECT
    concat(customer_id, '-', CAST(place AS TEXT)) AS touch_id,
    customer_id,
    CAST('2026-01-01T00:00:00Z' AS TIMESTAMP WITH TIME ZONE)
        + CAST(concat(CAST(place AS TEXT), ' minutes') AS INTERVAL) AS touched_at,
    DATE '2026-01-01' AS touch_date,
    split_part(path, ' > ', place) AS channel,
    CAST(NULL AS TEXT) AS campaign_id,
    CAST(NULL AS TEXT) AS session_id,
    CAST(1 AS BIGINT) AS source_order
FROM (
    SELECT
        customer_id,
        path,
        unnest(generate_series(1, CAST(array_length(string_to_array(path, ' > ')) AS BIGINT))) AS place
    FROM journeys
) AS places
