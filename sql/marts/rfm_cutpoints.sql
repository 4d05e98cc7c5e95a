SELECT
    dimension,
    score,
    CASE WHEN dimension = 'recency' THEN -lower_bound ELSE lower_bound END AS cutpoint,
    valid_from,
    CASE WHEN $rfm_mode = 'quantile' THEN valid_from END AS valid_to,
    $rfm_mode AS score_mode,
    $as_of AS as_of,
    '2' AS definition_version
FROM rfm_bounds
WHERE snapshot = 'current'
