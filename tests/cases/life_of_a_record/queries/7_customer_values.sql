SELECT * FROM customer_values
