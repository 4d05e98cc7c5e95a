SELECT id, amount FROM orders WHERE id
