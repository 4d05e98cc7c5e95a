-- What rounding leaves of an order goes to the touch that takes the remainder, so that the parts add up to the order.
-- The window has the order of the table, so that its rows are sorted once.
SELECT
    order_id,
    customer_id,
    order_month,
    model,
    touch_position,
    touch_id,
    channel,
    campaign_id,
    weight,
    net_value,
    refund_value,
    refunded_on,
    contribution_value,
    is_estimated,
    is_first_order,
    is_fallback,
    CAST($attribution_days AS BIGINT) AS attribution_days,
    CASE WHEN model = 'time_decay' THEN CAST($half_life_days AS DECIMAL(9, 4)) END AS half_life_days,
    $as_of AS as_of,
    '3' AS definition_version
FROM (
    SELECT
        order_id,
        customer_id,
        order_month,
        model,
        touch_position,
        touch_id,
        channel,
        COALESCE(campaign_id, '(no campaign)') AS campaign_id,
        CAST(weight + CASE WHEN takes_remainder THEN 1 - SUM(weight) OVER of_order ELSE 0 END AS DECIMAL(13, 12)) AS weight,
        CAST(
            net_share + CASE WHEN takes_remainder THEN net_value - SUM(net_share) OVER of_order ELSE 0 END
            AS DECIMAL(18, 4)
        ) AS net_value,
        CAST(
            refund_share + CASE WHEN takes_remainder THEN refund_value - SUM(refund_share) OVER of_order ELSE 0 END
            AS DECIMAL(18, 4)
        ) AS refund_value,
        refunded_on,
        CAST(
            contribution_share
                + CASE WHEN takes_remainder THEN contribution_value - SUM(contribution_share) OVER of_order ELSE 0 END
            AS DECIMAL(18, 4)
        ) AS contribution_value,
        is_estimated,
        is_first_order,
        is_fallback
    FROM (
        SELECT
            weights.order_id,
            conversions.customer_id,
            conversions.order_month,
            weights.model,
            weights.touch_position,
            weights.touch_id,
            weights.channel,
            weights.campaign_id,
            weights.weight,
            conversions.net_value,
            CAST(conversions.net_value * weights.weight AS DECIMAL(18, 4)) AS net_share,
            conversions.refund_value,
            CAST(conversions.refund_value * weights.weight AS DECIMAL(18, 4)) AS refund_share,
            conversions.refunded_on,
            conversions.contribution_value,
            CAST(conversions.contribution_value * weights.weight AS DECIMAL(18, 4)) AS contribution_share,
            conversions.is_estimated,
            conversions.is_first_order,
            weights.is_fallback,
            weights.takes_remainder
        FROM attribution_weights AS weights
        INNER JOIN attribution_conversions AS conversions ON conversions.order_id = weights.order_id
    ) AS shared
    WINDOW of_order AS (
        PARTITION BY order_id, model
        ORDER BY touch_position
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
    UNION ALL
    SELECT
        conversions.order_id,
        conversions.customer_id,
        conversions.order_month,
        models.model,
        CAST(NULL AS BIGINT) AS touch_position,
        CAST(NULL AS TEXT) AS touch_id,
        '(unattributed)' AS channel,
        '(unattributed)' AS campaign_id,
        CAST(1 AS DECIMAL(13, 12)) AS weight,
        conversions.net_value,
        conversions.refund_value,
        conversions.refunded_on,
        conversions.contribution_value,
        conversions.is_estimated,
        conversions.is_first_order,
        FALSE AS is_fallback
    FROM attribution_conversions AS conversions
    LEFT ANTI JOIN attribution_paths ON attribution_paths.order_id = conversions.order_id
    CROSS JOIN attribution_models AS models
) AS credits
