SELECT * FROM identity.map ORDER BY identifier_type, value
