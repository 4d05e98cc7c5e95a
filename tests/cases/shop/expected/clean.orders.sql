SELECT * FROM clean.orders ORDER BY order_id
