SELECT identifier_type, value, customer_id, first_seen
FROM identity.map
ORDER BY identifier_type, value
