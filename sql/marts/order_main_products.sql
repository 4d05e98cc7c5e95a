-- The product that makes the most of an order's money stands for the order.
SELECT order_id, product_id, category
FROM (
    SELECT
        order_id,
        product_id,
        category,
        ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY gross_value DESC, product_id ASC, line_number ASC) AS position
    FROM fact_order_lines
) AS lines
WHERE position = 1
