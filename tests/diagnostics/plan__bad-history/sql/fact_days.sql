SELECT id, '2026-01-31' AS as_of FROM orders
