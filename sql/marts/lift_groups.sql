-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
-- The limits of a rate are Wilson's: unlike the plain ones they tell something of a group in which nobody ordered; 3.8416 is 1.96
-- squared.
SELECT
    campaign_id,
    assigned_group,
    arm,
    is_complete,
    customers,
    reassigned_customers,
    converters,
    revenue,
    contribution,
    (2 * converters + CAST(3.8416 AS DOUBLE) - CAST(1.96 AS DOUBLE) * square_root(spread))
        / (2 * (customers + CAST(3.8416 AS DOUBLE))) AS rate_low,
    (2 * converters + CAST(3.8416 AS DOUBLE) + CAST(1.96 AS DOUBLE) * square_root(spread))
        / (2 * (customers + CAST(3.8416 AS DOUBLE))) AS rate_high
FROM (
    SELECT
        *,
        CAST(3.8416 AS DOUBLE) + 4 * converters * (1 - CAST(converters AS DOUBLE) / customers) AS spread
    FROM (
        SELECT
            campaign_id,
            assigned_group,
            arm,
            BOOL_AND(is_complete) AS is_complete,
            COUNT(*) AS customers,
            COUNT(*) FILTER (WHERE is_reassigned) AS reassigned_customers,
            COUNT(*) FILTER (WHERE orders > 0) AS converters,
            CAST(SUM(revenue) AS DECIMAL(18, 4)) AS revenue,
            CASE WHEN COUNT(contribution) = COUNT(*) THEN CAST(SUM(contribution) AS DECIMAL(18, 4)) END AS contribution
        FROM lift_outcomes
        GROUP BY campaign_id, assigned_group, arm
    ) AS counted
) AS spread_out
