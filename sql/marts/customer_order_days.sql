SELECT
    customer_id,
    order_date,
    LAG(order_date) OVER in_order AS previous_order_date,
    LEAD(order_date) OVER in_order AS next_order_date,
    CAST(ROW_NUMBER() OVER in_order AS BIGINT) AS day_number
FROM (
    SELECT DISTINCT customer_id, order_date
    FROM eligible_orders
) AS days
WINDOW in_order AS (PARTITION BY customer_id ORDER BY order_date)
