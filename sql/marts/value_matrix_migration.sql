SELECT
    COALESCE(previous_quadrants.quadrant, '(no order)') AS previous_quadrant,
    COALESCE(quadrants.quadrant, '(no order)') AS quadrant,
    COUNT(*) AS customers,
    CAST(COALESCE(SUM(quadrants.monetary_total), 0) AS DECIMAL(18, 4)) AS net_value,
    $as_of_date - $rfm_previous_days AS previous_as_of_date,
    $as_of AS as_of,
    '2' AS definition_version
FROM fact_value_matrix AS quadrants
FULL JOIN (
    SELECT customer_id, quadrant FROM value_matrix_quadrants WHERE snapshot = 'previous'
) AS previous_quadrants ON previous_quadrants.customer_id = quadrants.customer_id
GROUP BY COALESCE(previous_quadrants.quadrant, '(no order)'), COALESCE(quadrants.quadrant, '(no order)')
