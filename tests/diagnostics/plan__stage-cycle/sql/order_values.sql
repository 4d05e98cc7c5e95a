SELECT id, amount FROM known_orders
