SELECT
    "left".identifier_type AS left_type,
    "left".value AS left_value,
    "right".identifier_type AS right_type,
    "right".value AS right_value,
    min(links.first_seen) AS first_seen
FROM identity.links
JOIN identity.map AS "left" ON "left".number = links.left_number
JOIN identity.map AS "right" ON "right".number = links.right_number
GROUP BY left_type, left_value, right_type, right_value
ORDER BY first_seen, left_value, right_value
