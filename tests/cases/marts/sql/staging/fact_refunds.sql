-- An order has one refund at most, whose day it tells itself.
SELECT
    CAST(NULL AS TEXT) AS order_id,
    CAST(NULL AS DATE) AS refunded_on,
    CAST(NULL AS DECIMAL(18, 4)) AS refund_value
WHERE FALSE
