SELECT id, amount FROM orders;
DELETE FROM orders
