SELECT id, amount
FORM orders
WHERE amount > 0
