SELECT * FROM order_values WHERE order_id = 'W218DF205331C'
