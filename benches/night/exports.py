"""What the exports hold, and which clean tables come of them."""

NDJSON = {
    "web": "event_id ts received_at type session_id cookie user_id email url sku order_id utm(source,medium,campaign) referrer device(type,os,browser) cart_value",
    "app": "event_id ts received_at type session_id device(id,os) user_id phone sku order_id campaign_id app(version)",
    "orders": "order_id placed_at updated_at channel status currency items_amount discount_amount tax_amount shipping_amount refund_amount refunded_at user_id "
              "email phone cookie device_id coupon(code,campaign_id) city",
    "order_lines": "order_id line_no placed_at sku quantity unit_price",
    "sends": "send_id campaign_id channel user_id email group assigned_at sent_at opened_at clicked_at updated_at",
}
CSV = {
    "store": "receipt_id line_no store_id sold_at kind original_receipt_id loyalty_card phone sku quantity unit_price discount amount",
    "crm": "user_id name email second_email phone loyalty_card birthday gender city consent_email consent_sms created_at updated_at",
    "campaigns": "campaign_id name channel start_date end_date budget updated_at",
    "campaign_costs": "date campaign_id channel currency cost impressions clicks platform_conversions reported_at",
    "products": "sku name category unit_cost price updated_at",
    "exchange_rates": "date currency rate",
}
CLEAN = (
    "web_events app_events online_orders online_order_lines store_sales campaign_sends crm_customers campaigns campaign_costs "
    "products exchange_rates identity_map"
).split()
