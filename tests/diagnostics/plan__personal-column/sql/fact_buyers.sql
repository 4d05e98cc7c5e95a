SELECT address, orders, born, amount FROM buyers
