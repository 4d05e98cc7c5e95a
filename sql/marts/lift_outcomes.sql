-- A coupon is no gain: what an order contributed is counted after it, as its net_value is.
SELECT
    lift_assignments.campaign_id,
    lift_assignments.customer_id,
    lift_assignments.assigned_group,
    lift_assignments.arm,
    lift_assignments.is_reassigned,
    lift_assignments.assigned_at + CAST(concat($lift_days, ' days') AS INTERVAL) <= $as_of AS is_complete,
    COUNT(attribution_conversions.order_id) AS orders,
    CAST(COALESCE(SUM(attribution_conversions.net_value), 0) AS DECIMAL(18, 4)) AS revenue,
    CASE
        WHEN COUNT(attribution_conversions.contribution_value) = COUNT(attribution_conversions.order_id)
            THEN CAST(
                COALESCE(SUM(attribution_conversions.contribution_value - attribution_conversions.coupon_value), 0)
                AS DECIMAL(18, 4)
            )
    END AS contribution
FROM lift_assignments
LEFT JOIN attribution_conversions
    ON attribution_conversions.customer_id = lift_assignments.customer_id
    AND attribution_conversions.ordered_at >= lift_assignments.assigned_at
    AND attribution_conversions.ordered_at
        < lift_assignments.assigned_at + CAST(concat($lift_days, ' days') AS INTERVAL)
GROUP BY
    lift_assignments.campaign_id,
    lift_assignments.customer_id,
    lift_assignments.assigned_group,
    lift_assignments.arm,
    lift_assignments.is_reassigned,
    lift_assignments.assigned_at
