-- The median of an even number of buyers is the mean of the two in the middle.
SELECT
    snapshot,
    CASE $value_matrix_threshold
        WHEN 'fixed' THEN CAST($value_matrix_frequency AS DECIMAL(24, 8))
        WHEN 'median' THEN CAST(
            CAST(SUM(frequency) FILTER (WHERE is_frequency_middle) AS DECIMAL(28, 12))
                / COUNT(*) FILTER (WHERE is_frequency_middle) AS DECIMAL(24, 8)
        )
        ELSE CAST(CAST(SUM(frequency) AS DECIMAL(28, 12)) / COUNT(*) AS DECIMAL(24, 8))
    END AS frequency_threshold,
    CASE $value_matrix_threshold
        WHEN 'fixed' THEN CAST($value_matrix_aov AS DECIMAL(24, 8))
        WHEN 'median' THEN CAST(
            CAST(SUM(aov) FILTER (WHERE is_aov_middle) AS DECIMAL(28, 12))
                / COUNT(*) FILTER (WHERE is_aov_middle) AS DECIMAL(24, 8)
        )
        ELSE CAST(CAST(SUM(aov) AS DECIMAL(28, 12)) / COUNT(*) AS DECIMAL(24, 8))
    END AS aov_threshold
FROM (
    SELECT
        snapshot,
        frequency,
        aov,
        2 * frequency_rank BETWEEN buyers AND buyers + 2 AS is_frequency_middle,
        2 * aov_rank BETWEEN buyers AND buyers + 2 AS is_aov_middle
    FROM value_matrix_axes
) AS ranked
GROUP BY snapshot
