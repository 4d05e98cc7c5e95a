SELECT
    value_matrix_axes.snapshot,
    value_matrix_axes.customer_id,
    CASE
        WHEN value_matrix_axes.frequency > value_matrix_thresholds.frequency_threshold
            AND value_matrix_axes.aov > value_matrix_thresholds.aov_threshold THEN 'best'
        WHEN value_matrix_axes.aov > value_matrix_thresholds.aov_threshold THEN 'spender'
        WHEN value_matrix_axes.frequency > value_matrix_thresholds.frequency_threshold THEN 'frequent'
        ELSE 'uncertain'
    END AS quadrant
FROM value_matrix_axes
INNER JOIN value_matrix_thresholds ON value_matrix_thresholds.snapshot = value_matrix_axes.snapshot
