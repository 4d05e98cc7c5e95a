-- A score tells how large a share of the customers is strictly worse, so equal values always share a score.
-- RANK() - 1 is the number of strictly worse customers. Recency is turned round, so that more is better everywhere.
SELECT
    snapshot,
    dimension,
    value,
    LEAST(
        5,
        1 + 5 * (CAST(RANK() OVER (PARTITION BY snapshot, dimension ORDER BY value) AS BIGINT) - 1)
            / COUNT(*) OVER (PARTITION BY snapshot, dimension)
    ) AS score
FROM (
    SELECT snapshot, 'recency' AS dimension, CAST(-recency_days AS DECIMAL(18, 4)) AS value FROM rfm_customer_values
    UNION ALL
    SELECT snapshot, 'frequency' AS dimension, CAST(frequency AS DECIMAL(18, 4)) AS value FROM rfm_customer_values
    UNION ALL
    SELECT snapshot, 'monetary' AS dimension, monetary_total AS value FROM rfm_customer_values
) AS population
