SELECT
    rfm_scores.snapshot,
    rfm_scores.customer_id,
    (rfm_scores.f_score + rfm_scores.m_score + 1) / 2 AS fm_score,
    rfm_segment_rules.segment
FROM rfm_scores
INNER JOIN rfm_segment_rules
    ON rfm_segment_rules.r_score = rfm_scores.r_score
    AND rfm_segment_rules.fm_score = (rfm_scores.f_score + rfm_scores.m_score + 1) / 2
