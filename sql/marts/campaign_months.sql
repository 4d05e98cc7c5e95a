-- UNION drops repeats. The unattributed row stands in every month with orders, also where nothing is left for it.
SELECT campaign_id, month_start FROM campaign_month_credits
UNION
SELECT campaign_id, month_start FROM campaign_month_spend
UNION
SELECT campaign_id, month_start FROM campaign_month_touches
UNION
SELECT campaign_id, month_start FROM campaign_month_coupons
UNION
SELECT '(unattributed)' AS campaign_id, order_month AS month_start FROM attribution_conversions
