-- The product that makes the most of an order's money stands for the order, and so, by itself, does the category.
SELECT products.order_id, products.product_id, categories.category
FROM (
    SELECT
        order_id,
        product_id,
        ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY SUM(gross_value) DESC, product_id ASC) AS place
    FROM fact_order_lines
    GROUP BY order_id, product_id
) AS products
INNER JOIN (
    SELECT
        order_id,
        category,
        ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY SUM(gross_value) DESC, category ASC) AS place
    FROM fact_order_lines
    GROUP BY order_id, category
) AS categories ON categories.order_id = products.order_id
WHERE products.place = 1 AND categories.place = 1
