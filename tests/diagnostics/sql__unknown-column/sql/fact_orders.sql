SELECT
  orders.id,
  orders.amuont
FROM orders
