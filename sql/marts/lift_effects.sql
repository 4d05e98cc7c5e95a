-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
-- Where nobody is in a group, what compares the groups is NULL. The plain interval (Wald) is good where at least five
-- customers of each group ordered and five did not; below that it is Newcombe's, and too few orders are there to
-- resample, so that of revenue is not told.
SELECT
    campaign_id,
    arm,
    arms,
    is_complete,
    treated_customers,
    control_customers,
    reassigned_customers,
    treated_converters,
    control_converters,
    treated_rate,
    control_rate,
    treated_rate - control_rate AS rate_difference,
    CAST(NULLIF(treated_customers, 0) * control_converters AS DOUBLE) / NULLIF(control_customers, 0)
        AS expected_converters,
    CASE
        WHEN has_enough THEN 'wald'
        WHEN treated_customers > 0 AND control_customers > 0 THEN 'newcombe'
    END AS interval_method,
    CASE
        WHEN has_enough THEN wald_margin
        ELSE square_root(
            (treated_rate - treated_low) * (treated_rate - treated_low)
                + (control_high - control_rate) * (control_high - control_rate)
        )
    END AS rate_margin_below,
    CASE
        WHEN has_enough THEN wald_margin
        ELSE square_root(
            (treated_high - treated_rate) * (treated_high - treated_rate)
                + (control_rate - control_low) * (control_rate - control_low)
        )
    END AS rate_margin_above,
    treated_revenue,
    control_revenue,
    CAST(treated_revenue AS DOUBLE)
        - NULLIF(treated_customers, 0) * CAST(control_revenue AS DOUBLE) / NULLIF(control_customers, 0)
        AS incremental_revenue,
    CASE WHEN has_enough THEN treated_customers * difference_low END AS incremental_revenue_low,
    CASE WHEN has_enough THEN treated_customers * difference_high END AS incremental_revenue_high,
    CAST(treated_contribution AS DOUBLE)
        - NULLIF(treated_customers, 0) * CAST(control_contribution AS DOUBLE) / NULLIF(control_customers, 0)
        AS incremental_contribution
FROM (
    SELECT
        *,
        treated_converters >= 5
            AND control_converters >= 5
            AND treated_customers - treated_converters >= 5
            AND control_customers - control_converters >= 5 AS has_enough,
        CAST(1.96 AS DOUBLE) * square_root(
            treated_rate * (1 - treated_rate) / treated_customers
                + control_rate * (1 - control_rate) / control_customers
        ) AS wald_margin
    FROM (
        SELECT
            *,
            CAST(treated_converters AS DOUBLE) / NULLIF(treated_customers, 0) AS treated_rate,
            CAST(control_converters AS DOUBLE) / NULLIF(control_customers, 0) AS control_rate
        FROM (
            SELECT
                lift_arms.campaign_id,
                lift_arms.arm,
                lift_arms.arms,
                COALESCE(treated.is_complete, TRUE) AND COALESCE(controls.is_complete, TRUE) AS is_complete,
                COALESCE(treated.customers, 0) AS treated_customers,
                COALESCE(controls.customers, 0) AS control_customers,
                COALESCE(treated.reassigned_customers, 0) + COALESCE(controls.reassigned_customers, 0)
                    AS reassigned_customers,
                COALESCE(treated.converters, 0) AS treated_converters,
                COALESCE(controls.converters, 0) AS control_converters,
                COALESCE(treated.revenue, CAST(0 AS DECIMAL(18, 4))) AS treated_revenue,
                COALESCE(controls.revenue, CAST(0 AS DECIMAL(18, 4))) AS control_revenue,
                treated.rate_low AS treated_low,
                treated.rate_high AS treated_high,
                controls.rate_low AS control_low,
                controls.rate_high AS control_high,
                intervals.difference_low,
                intervals.difference_high,
                treated.contribution AS treated_contribution,
                controls.contribution AS control_contribution
            FROM lift_arms
            LEFT JOIN lift_groups AS treated
                ON treated.campaign_id = lift_arms.campaign_id
                AND treated.arm = lift_arms.arm
            LEFT JOIN lift_groups AS controls
                ON controls.campaign_id = lift_arms.campaign_id
                AND controls.assigned_group = 'control'
            LEFT JOIN lift_revenue_intervals AS intervals
                ON intervals.campaign_id = lift_arms.campaign_id
                AND intervals.arm = lift_arms.arm
        ) AS sides
    ) AS rates
) AS judged
