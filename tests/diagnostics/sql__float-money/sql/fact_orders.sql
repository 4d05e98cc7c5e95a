SELECT id, CAST(amount AS DOUBLE) * 1.19 AS gross_amount, 0.5 AS tax_rate FROM orders
