SELECT
    customer_number AS customer_id,
    CAST(MIN(bought_on) AS TIMESTAMP) AS first_seen_at,
    CAST(MAX(bought_on) AS TIMESTAMP) AS last_seen_at,
    CAST(NULL AS TEXT) AS country,
    $as_of AS as_of,
    '2' AS definition_version
FROM purchases
WHERE bought_on < $as_of_date
GROUP BY customer_number
