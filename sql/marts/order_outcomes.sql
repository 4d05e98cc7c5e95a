-- The last order before a churn is the customer's last on the last day of a spell that ended.
SELECT
    orders.order_id,
    orders.order_number,
    COALESCE(order_main_products.product_id, '(unknown)') AS product_id,
    COALESCE(order_main_products.category, '(unknown)') AS category,
    customer_spells.customer_id IS NOT NULL AS led_to_churn
FROM (
    SELECT
        order_id,
        customer_id,
        order_date,
        order_number,
        ROW_NUMBER() OVER (PARTITION BY customer_id, order_date ORDER BY order_number DESC) = 1 AS is_last_of_day
    FROM eligible_orders
) AS orders
LEFT JOIN order_main_products ON order_main_products.order_id = orders.order_id
LEFT JOIN customer_spells
    ON customer_spells.customer_id = orders.customer_id
    AND customer_spells.last_order_date = orders.order_date
    AND customer_spells.churned_on IS NOT NULL
    AND orders.is_last_of_day
