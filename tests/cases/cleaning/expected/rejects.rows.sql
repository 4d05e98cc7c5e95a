SELECT record, "column", rule, message, raw FROM rejects.rows ORDER BY record
