-- Who bought in the window, with the mean of an order. The day of a snapshot is not in its window.
SELECT
    snapshot,
    customer_id,
    orders AS frequency,
    monetary_total,
    CAST(monetary_total / orders AS DECIMAL(18, 4)) AS aov,
    ROW_NUMBER() OVER (PARTITION BY snapshot ORDER BY orders, customer_id) AS frequency_rank,
    ROW_NUMBER() OVER (
        PARTITION BY snapshot
        ORDER BY CAST(monetary_total / orders AS DECIMAL(18, 4)), customer_id
    ) AS aov_rank,
    COUNT(*) OVER (PARTITION BY snapshot) AS buyers
FROM rfm_customer_values
WHERE orders > 0 AND snapshot <> 'frozen'
