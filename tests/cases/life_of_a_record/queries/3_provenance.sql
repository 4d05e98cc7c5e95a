SELECT order_id, _event_date, _object, _record, customer_id
FROM clean.online_orders
WHERE order_id = 'W218DF205331C'
