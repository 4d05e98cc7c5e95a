-- Everybody on any document is known, also those who only ever sent something back.
SELECT
    customer_id,
    MIN(invoiced_at) AS first_seen_at,
    MAX(invoiced_at) AS last_seen_at,
    FIRST_VALUE(country ORDER BY invoiced_at DESC, order_id DESC, country ASC) AS country,
    $as_of AS as_of,
    '2' AS definition_version
FROM order_lines
WHERE customer_id IS NOT NULL
GROUP BY customer_id
