SELECT
  order_values.day,
  COALESCE(products.name, '(unknown)') AS product,
  COUNT(*) AS orders,
  SUM(CASE WHEN order_values.is_big THEN 1 ELSE 0 END) AS big_orders,
  SUM(order_values.amount) AS revenue
FROM order_values
LEFT JOIN products ON products.sku = order_values.sku
GROUP BY order_values.day, COALESCE(products.name, '(unknown)')
