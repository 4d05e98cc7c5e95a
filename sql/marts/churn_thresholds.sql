-- One row even without orders. Too few gaps, or too many that have not ended, leave the fixed thresholds in place.
SELECT
    CASE WHEN is_estimated THEN risk_quantile ELSE CAST($risk_days AS BIGINT) END AS risk_days,
    CASE WHEN is_estimated THEN churn_quantile ELSE CAST($churn_days AS BIGINT) END AS churn_days,
    CASE
        WHEN is_estimated THEN 'kaplan_meier'
        WHEN $churn_thresholds = 'auto' THEN 'fixed_for_want_of_gaps'
        ELSE 'fixed'
    END AS threshold_rule,
    ended_gaps
FROM (
    SELECT
        $churn_thresholds = 'auto'
            AND ended_gaps >= 200
            AND risk_quantile > 0
            AND churn_quantile IS NOT NULL AS is_estimated,
        risk_quantile,
        churn_quantile,
        ended_gaps
    FROM (
        SELECT
            COUNT(*) FILTER (WHERE is_ended) AS ended_gaps,
            kaplan_meier_quantile(gap_days, is_ended, CAST($risk_quantile AS DOUBLE)) AS risk_quantile,
            kaplan_meier_quantile(gap_days, is_ended, CAST($churn_quantile AS DOUBLE)) AS churn_quantile
        FROM order_gaps
    ) AS estimated
) AS judged
