SELECT id, email, CAST(date_part('year', born) AS BIGINT) AS birth_year FROM orders
