-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
SELECT campaign_id, arm, resampled['low'] AS difference_low, resampled['high'] AS difference_high
FROM (
    SELECT
        lift_arms.campaign_id,
        lift_arms.arm,
        bootstrap_interval(
            CAST(lift_outcomes.revenue AS DOUBLE),
            lift_outcomes.assigned_group = 'treatment',
            CAST(0.95 AS DOUBLE)
        ) AS resampled
    FROM lift_arms
    INNER JOIN lift_outcomes
        ON lift_outcomes.campaign_id = lift_arms.campaign_id
        AND (lift_outcomes.assigned_group = 'control' OR lift_outcomes.arm = lift_arms.arm)
    GROUP BY lift_arms.campaign_id, lift_arms.arm
) AS intervals
