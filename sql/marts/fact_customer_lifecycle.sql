-- Order days that leave a customer active are no change. The state of a day is that of the last row up to it.
SELECT
    changes.customer_id,
    changes.state_number,
    changes.state,
    changes.from_date,
    changes.to_date,
    changes.to_date IS NULL AS is_current,
    changes.order_date AS last_order_date,
    churn_thresholds.risk_days,
    churn_thresholds.churn_days,
    churn_thresholds.threshold_rule,
    customer_usual_gaps.usual_gap_days,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        customer_id,
        CAST(ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY from_date) AS BIGINT) AS state_number,
        state,
        order_date,
        from_date,
        LEAD(from_date) OVER (PARTITION BY customer_id ORDER BY from_date) AS to_date
    FROM (
        SELECT
            customer_id,
            order_date,
            from_date,
            state,
            LAG(state) OVER (PARTITION BY customer_id ORDER BY from_date) AS previous_state
        FROM lifecycle_states
    ) AS states
    WHERE previous_state IS DISTINCT FROM state
) AS changes
CROSS JOIN churn_thresholds
LEFT JOIN customer_usual_gaps ON customer_usual_gaps.customer_id = changes.customer_id
