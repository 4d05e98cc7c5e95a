SELECT
    dim_customers.customer_id,
    scored.last_order_date,
    scored.recency_days,
    COALESCE(scored.orders, 0) > 0 AS in_window,
    COALESCE(scored.frequency, 0) AS frequency,
    COALESCE(scored.monetary_total, CAST(0 AS DECIMAL(18, 4))) AS monetary_total,
    CAST(scored.monetary_total / NULLIF(scored.orders, 0) AS DECIMAL(18, 4)) AS aov,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    segments.fm_score,
    COALESCE(segments.segment, 'Prospects') AS segment,
    CASE
        WHEN previous_segments.segment IS NOT NULL THEN previous_segments.segment
        WHEN local_date(dim_customers.first_seen_at) < previous_night.snapshot_date THEN 'Prospects'
    END AS previous_segment,
    previous_night.snapshot_date AS previous_as_of_date,
    COALESCE(scored.orders > 0 AND scored.monetary_total <= 0, FALSE) AS net_nonpositive,
    scored.score_quality,
    $rfm_mode AS score_mode,
    CAST($rfm_window_days AS BIGINT) AS window_days,
    $as_of AS as_of,
    '2' AS definition_version
FROM dim_customers
CROSS JOIN (SELECT snapshot_date FROM rfm_snapshots WHERE snapshot = 'previous') AS previous_night
LEFT JOIN rfm_scores AS scored
    ON scored.customer_id = dim_customers.customer_id
    AND scored.snapshot = 'current'
LEFT JOIN rfm_customer_segments AS segments
    ON segments.customer_id = dim_customers.customer_id
    AND segments.snapshot = 'current'
LEFT JOIN rfm_customer_segments AS previous_segments
    ON previous_segments.customer_id = dim_customers.customer_id
    AND previous_segments.snapshot = 'previous'
WHERE dim_customers.first_seen_at IS NULL OR dim_customers.first_seen_at < $as_of
