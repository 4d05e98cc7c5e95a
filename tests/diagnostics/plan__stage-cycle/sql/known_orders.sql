SELECT id, amount FROM order_values
