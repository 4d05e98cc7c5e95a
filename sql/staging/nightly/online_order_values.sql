-- Every amount is converted at the order's own local date and rounded before they are added up, so that the columns
-- add up too. An order whose currency has no rate that day has no value, and a check stops the run.
SELECT
    order_id,
    customer_id,
    placed_at,
    channel,
    status,
    order_currency,
    rate,
    CAST(items_amount * rate AS DECIMAL(18, 4)) AS gross_value,
    CAST(discount_amount * rate AS DECIMAL(18, 4)) AS discount_value,
    CAST(known_refund * rate AS DECIMAL(18, 4)) AS refund_value,
    CAST(tax_amount * rate AS DECIMAL(18, 4)) AS tax_value,
    CAST(shipping_amount * rate AS DECIMAL(18, 4)) AS shipping_value,
    CASE WHEN known_refund > 0 THEN local_date(COALESCE(refunded_at, placed_at)) END AS refunded_on,
    coupon_campaign_id,
    CASE
        WHEN coupon_campaign_id IS NULL THEN CAST(0 AS DECIMAL(18, 4))
        ELSE CAST(CAST(discount_amount * rate AS DECIMAL(18, 4)) * kept_share AS DECIMAL(18, 4))
    END AS coupon_value,
    COALESCE(lines_amount = items_amount, FALSE) AS has_all_lines,
    CASE WHEN lines_amount = items_amount THEN CAST(cost_value * kept_share AS DECIMAL(18, 4)) END AS cost_value
FROM (
    SELECT
        *,
        CASE
            WHEN items_amount > discount_amount
                THEN CAST(
                    CAST(GREATEST(items_amount - discount_amount - known_refund, 0) AS DECIMAL(30, 12))
                        / (items_amount - discount_amount)
                    AS DECIMAL(18, 12)
                )
            ELSE CAST(1 AS DECIMAL(18, 12))
        END AS kept_share
    FROM (
        SELECT
            online_orders.order_id,
            online_orders.customer_id,
            online_orders.placed_at,
            online_orders.channel,
            online_orders.status,
            online_orders.currency AS order_currency,
            online_orders.items_amount,
            online_orders.discount_amount,
            online_orders.tax_amount,
            online_orders.shipping_amount,
            online_orders.refunded_at,
            online_orders.coupon_campaign_id,
            CASE
                WHEN online_orders.refunded_at >= $as_of THEN CAST(0 AS DECIMAL(18, 4))
                WHEN online_orders.status = 'refunded'
                    THEN GREATEST(online_orders.refund_amount, online_orders.items_amount - online_orders.discount_amount)
                ELSE online_orders.refund_amount
            END AS known_refund,
            online_order_costs.lines_amount,
            online_order_costs.cost_value,
            exchange_rates.rate
        FROM online_orders
        LEFT JOIN online_order_costs ON online_order_costs.order_id = online_orders.order_id
        LEFT JOIN exchange_rates
            ON exchange_rates.currency = online_orders.currency
            AND exchange_rates.rate_date = local_date(online_orders.placed_at)
        WHERE online_orders.placed_at < $as_of
    ) AS known
) AS shared
