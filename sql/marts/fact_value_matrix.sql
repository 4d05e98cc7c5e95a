SELECT
    value_matrix_axes.customer_id,
    value_matrix_axes.frequency,
    value_matrix_axes.monetary_total,
    value_matrix_axes.aov,
    quadrants.quadrant,
    previous_quadrants.quadrant AS previous_quadrant,
    CASE quadrants.quadrant
        WHEN 'best' THEN 'keep'
        WHEN 'spender' THEN 'raise frequency'
        WHEN 'frequent' THEN 'raise order value by cross-selling'
        ELSE 'find out what they want'
    END AS goal,
    $value_matrix_threshold AS threshold_rule,
    value_matrix_thresholds.frequency_threshold,
    value_matrix_thresholds.aov_threshold,
    CAST($rfm_window_days AS BIGINT) AS window_days,
    $as_of AS as_of,
    '2' AS definition_version
FROM value_matrix_axes
INNER JOIN value_matrix_thresholds ON value_matrix_thresholds.snapshot = value_matrix_axes.snapshot
INNER JOIN value_matrix_quadrants AS quadrants
    ON quadrants.customer_id = value_matrix_axes.customer_id
    AND quadrants.snapshot = value_matrix_axes.snapshot
LEFT JOIN value_matrix_quadrants AS previous_quadrants
    ON previous_quadrants.customer_id = value_matrix_axes.customer_id
    AND previous_quadrants.snapshot = 'previous'
WHERE value_matrix_axes.snapshot = 'current'
