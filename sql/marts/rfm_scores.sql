-- One row of bounds for each snapshot, so that a customer is scored by one join. A score nobody can reach has no bound.
SELECT
    rfm_customer_values.snapshot,
    rfm_customer_values.customer_id,
    rfm_customer_values.last_order_date,
    rfm_customer_values.recency_days,
    rfm_customer_values.frequency,
    rfm_customer_values.orders,
    rfm_customer_values.monetary_total,
    1
        + CASE WHEN -rfm_customer_values.recency_days >= bounds.recency_2 THEN 1 ELSE 0 END
        + CASE WHEN -rfm_customer_values.recency_days >= bounds.recency_3 THEN 1 ELSE 0 END
        + CASE WHEN -rfm_customer_values.recency_days >= bounds.recency_4 THEN 1 ELSE 0 END
        + CASE WHEN -rfm_customer_values.recency_days >= bounds.recency_5 THEN 1 ELSE 0 END AS r_score,
    1
        + CASE WHEN rfm_customer_values.frequency >= bounds.frequency_2 THEN 1 ELSE 0 END
        + CASE WHEN rfm_customer_values.frequency >= bounds.frequency_3 THEN 1 ELSE 0 END
        + CASE WHEN rfm_customer_values.frequency >= bounds.frequency_4 THEN 1 ELSE 0 END
        + CASE WHEN rfm_customer_values.frequency >= bounds.frequency_5 THEN 1 ELSE 0 END AS f_score,
    CASE
        WHEN rfm_customer_values.monetary_total <= 0 THEN 1
        ELSE 1
            + CASE WHEN rfm_customer_values.monetary_total >= bounds.monetary_2 THEN 1 ELSE 0 END
            + CASE WHEN rfm_customer_values.monetary_total >= bounds.monetary_3 THEN 1 ELSE 0 END
            + CASE WHEN rfm_customer_values.monetary_total >= bounds.monetary_4 THEN 1 ELSE 0 END
            + CASE WHEN rfm_customer_values.monetary_total >= bounds.monetary_5 THEN 1 ELSE 0 END
    END AS m_score,
    CASE
        WHEN $rfm_mode = 'cutpoints' THEN 'ok'
        ELSE COALESCE(rfm_population.score_quality, 'degenerate')
    END AS score_quality
FROM rfm_customer_values
LEFT JOIN (
    SELECT
        snapshot,
        MIN(lower_bound) FILTER (WHERE dimension = 'recency' AND score = 2) AS recency_2,
        MIN(lower_bound) FILTER (WHERE dimension = 'recency' AND score = 3) AS recency_3,
        MIN(lower_bound) FILTER (WHERE dimension = 'recency' AND score = 4) AS recency_4,
        MIN(lower_bound) FILTER (WHERE dimension = 'recency' AND score = 5) AS recency_5,
        MIN(lower_bound) FILTER (WHERE dimension = 'frequency' AND score = 2) AS frequency_2,
        MIN(lower_bound) FILTER (WHERE dimension = 'frequency' AND score = 3) AS frequency_3,
        MIN(lower_bound) FILTER (WHERE dimension = 'frequency' AND score = 4) AS frequency_4,
        MIN(lower_bound) FILTER (WHERE dimension = 'frequency' AND score = 5) AS frequency_5,
        MIN(lower_bound) FILTER (WHERE dimension = 'monetary' AND score = 2) AS monetary_2,
        MIN(lower_bound) FILTER (WHERE dimension = 'monetary' AND score = 3) AS monetary_3,
        MIN(lower_bound) FILTER (WHERE dimension = 'monetary' AND score = 4) AS monetary_4,
        MIN(lower_bound) FILTER (WHERE dimension = 'monetary' AND score = 5) AS monetary_5
    FROM rfm_bounds
    GROUP BY snapshot
) AS bounds ON bounds.snapshot = rfm_customer_values.snapshot
LEFT JOIN rfm_population
    ON rfm_population.snapshot = CASE WHEN $rfm_mode = 'frozen' THEN 'frozen' ELSE rfm_customer_values.snapshot END
WHERE rfm_customer_values.snapshot <> 'frozen'
