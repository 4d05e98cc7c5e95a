-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
-- What each of several arms cost is not told, so nothing is reckoned by it.
SELECT
    lift_effects.campaign_id,
    dim_campaigns.campaign_name,
    lift_effects.arm,
    lift_effects.is_complete,
    lift_effects.treated_customers,
    lift_effects.control_customers,
    lift_effects.reassigned_customers,
    lift_effects.treated_converters,
    lift_effects.control_converters,
    lift_effects.treated_rate,
    lift_effects.control_rate,
    lift_effects.rate_difference,
    lift_effects.rate_difference - lift_effects.rate_margin_below AS rate_difference_low,
    lift_effects.rate_difference + lift_effects.rate_margin_above AS rate_difference_high,
    lift_effects.treated_converters - lift_effects.expected_converters AS incremental_conversions,
    (lift_effects.rate_difference - lift_effects.rate_margin_below) * lift_effects.treated_customers
        AS incremental_conversions_low,
    (lift_effects.rate_difference + lift_effects.rate_margin_above) * lift_effects.treated_customers
        AS incremental_conversions_high,
    COALESCE(
        lift_effects.rate_difference <= lift_effects.rate_margin_below
            AND -lift_effects.rate_difference <= lift_effects.rate_margin_above,
        TRUE
    ) AS inconclusive,
    lift_effects.interval_method,
    lift_effects.treated_revenue,
    lift_effects.control_revenue,
    lift_effects.incremental_revenue,
    lift_effects.incremental_revenue_low,
    lift_effects.incremental_revenue_high,
    COALESCE(lift_effects.incremental_revenue_low <= 0 AND lift_effects.incremental_revenue_high >= 0, TRUE)
        AS revenue_inconclusive,
    lift_effects.incremental_contribution,
    COALESCE(spend.spend, CAST(0 AS DECIMAL(18, 4))) AS spend,
    CASE
        WHEN lift_effects.arms = 1
            THEN lift_effects.incremental_revenue / NULLIF(CAST(spend.spend AS DOUBLE), 0)
    END AS incremental_roas,
    CASE
        WHEN lift_effects.arms = 1
            THEN (lift_effects.incremental_contribution - CAST(spend.spend AS DOUBLE))
                / NULLIF(CAST(spend.spend AS DOUBLE), 0)
    END AS incremental_roi,
    CAST($lift_days AS BIGINT) AS lift_days,
    CASE WHEN lift_effects.interval_method IS NOT NULL THEN 'randomised control group, intention to treat' END AS method,
    $as_of AS as_of,
    '5' AS definition_version
FROM lift_effects
LEFT JOIN dim_campaigns ON dim_campaigns.campaign_id = lift_effects.campaign_id
LEFT JOIN (
    SELECT campaign_id, CAST(SUM(spend) AS DECIMAL(18, 4)) AS spend
    FROM campaign_month_spend
    GROUP BY campaign_id
) AS spend ON spend.campaign_id = lift_effects.campaign_id
