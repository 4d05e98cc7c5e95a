SELECT object, record, byte, "column", rule, message
FROM rejects.online_orders
ORDER BY object, record
