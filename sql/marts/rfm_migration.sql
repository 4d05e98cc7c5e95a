SELECT
    COALESCE(previous_segment, '(not known yet)') AS previous_segment,
    segment,
    COUNT(*) AS customers,
    CAST(SUM(monetary_total) AS DECIMAL(18, 4)) AS net_value,
    MIN(previous_as_of_date) AS previous_as_of_date,
    $as_of AS as_of,
    '2' AS definition_version
FROM fact_rfm_segments
GROUP BY COALESCE(previous_segment, '(not known yet)'), segment
