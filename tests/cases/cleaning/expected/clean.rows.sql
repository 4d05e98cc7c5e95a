SELECT * FROM clean.rows ORDER BY _record
