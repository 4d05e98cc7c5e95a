-- Known are those whom the shop can name: registered, written to, or with an order. A browser that only looked around
-- is a visitor, not a customer.
SELECT customer_id FROM crm_customers WHERE customer_id IS NOT NULL AND created_at < $as_of
UNION
SELECT customer_id FROM campaign_sends WHERE customer_id IS NOT NULL AND assigned_at < $as_of
UNION
SELECT customer_id FROM online_orders WHERE customer_id IS NOT NULL AND placed_at < $as_of
UNION
SELECT customer_id FROM store_sales WHERE customer_id IS NOT NULL AND sold_at < $as_of
