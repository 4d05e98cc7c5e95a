SELECT id FROM orders WHERE amount > 1000
