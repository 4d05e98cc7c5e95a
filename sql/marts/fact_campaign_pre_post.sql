-- allow(sql/float-money): an estimate with its error is no amount that anybody adds up
SELECT
    counted.campaign_id,
    dim_campaigns.campaign_name,
    counted.is_complete,
    counted.customers,
    counted.orders_before,
    counted.orders_after,
    counted.revenue_before,
    counted.revenue_after,
    CAST(counted.orders_after - counted.orders_before AS DOUBLE) / NULLIF(counted.orders_before, 0) AS orders_change,
    CAST(counted.revenue_after - counted.revenue_before AS DOUBLE)
        / NULLIF(CAST(counted.revenue_before AS DOUBLE), 0) AS revenue_change,
    CAST($lift_days AS BIGINT) AS window_days,
    FALSE AS is_causal,
    'before and after, no control group: not causal' AS method,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        touches.campaign_id,
        BOOL_AND(touches.is_complete) AS is_complete,
        COUNT(DISTINCT touches.customer_id) AS customers,
        COUNT(orders.order_id) FILTER (WHERE orders.ordered_at < touches.first_touched_at) AS orders_before,
        COUNT(orders.order_id) FILTER (WHERE orders.ordered_at >= touches.first_touched_at) AS orders_after,
        CAST(
            COALESCE(SUM(orders.net_value) FILTER (WHERE orders.ordered_at < touches.first_touched_at), 0)
            AS DECIMAL(18, 4)
        ) AS revenue_before,
        CAST(
            COALESCE(SUM(orders.net_value) FILTER (WHERE orders.ordered_at >= touches.first_touched_at), 0)
            AS DECIMAL(18, 4)
        ) AS revenue_after
    FROM campaign_first_touches AS touches
    LEFT JOIN eligible_orders AS orders
        ON orders.customer_id = touches.customer_id
        AND orders.ordered_at >= touches.first_touched_at - CAST(concat($lift_days, ' days') AS INTERVAL)
        AND orders.ordered_at < touches.first_touched_at + CAST(concat($lift_days, ' days') AS INTERVAL)
    GROUP BY touches.campaign_id
) AS counted
LEFT JOIN dim_campaigns ON dim_campaigns.campaign_id = counted.campaign_id
