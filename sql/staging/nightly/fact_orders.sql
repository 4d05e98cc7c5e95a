-- An order returned as a whole stays an order, of which nothing is left; only a cancelled one was never one.
SELECT
    order_id,
    customer_id,
    placed_at AS ordered_at,
    local_date(placed_at) AS order_date,
    channel,
    gross_value,
    discount_value,
    refund_value,
    tax_value,
    shipping_value,
    CAST(gross_value - discount_value - refund_value AS DECIMAL(18, 4)) AS net_value,
    CAST(gross_value - discount_value AS DECIMAL(18, 4)) AS sale_value,
    refunded_on,
    cost_value,
    coupon_campaign_id,
    coupon_value,
    eligibility = 'eligible' AS is_eligible,
    eligibility,
    eligibility = 'eligible'
        AND ROW_NUMBER() OVER (PARTITION BY customer_id, eligibility ORDER BY placed_at, order_id) = 1
        AS is_first_order,
    $as_of AS as_of,
    '2' AS definition_version
FROM (
    SELECT
        order_id,
        customer_id,
        placed_at,
        channel,
        gross_value,
        discount_value,
        refund_value,
        tax_value,
        shipping_value,
        refunded_on,
        cost_value,
        coupon_campaign_id,
        coupon_value,
        CASE
            WHEN status = 'test' THEN 'test'
            WHEN status = 'cancelled' THEN 'cancelled'
            WHEN customer_id IS NULL THEN 'unresolved'
            ELSE 'eligible'
        END AS eligibility
    FROM online_order_values
    UNION ALL
    SELECT
        order_id,
        customer_id,
        placed_at,
        'store' AS channel,
        gross_value,
        discount_value,
        refund_value,
        CAST(0 AS DECIMAL(18, 4)) AS tax_value,
        CAST(0 AS DECIMAL(18, 4)) AS shipping_value,
        refunded_on,
        cost_value,
        CAST(NULL AS TEXT) AS coupon_campaign_id,
        CAST(0 AS DECIMAL(18, 4)) AS coupon_value,
        CASE
            WHEN NOT is_sale THEN 'return_without_sale'
            WHEN customer_id IS NULL THEN 'unresolved'
            ELSE 'eligible'
        END AS eligibility
    FROM store_order_values
) AS orders
