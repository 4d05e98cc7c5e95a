SELECT
    snapshot,
    COUNT(*) AS customers,
    CASE
        WHEN COUNT(*) < 25
            OR MIN(recency_days) = MAX(recency_days)
            OR MIN(frequency) = MAX(frequency)
            OR MIN(monetary_total) = MAX(monetary_total)
            THEN 'degenerate'
        ELSE 'ok'
    END AS score_quality
FROM rfm_customer_values
GROUP BY snapshot
