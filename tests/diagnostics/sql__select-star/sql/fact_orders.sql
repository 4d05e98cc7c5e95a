SELECT * FROM known_orders
