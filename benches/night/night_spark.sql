-- A night in Spark SQL: the statements of `night.sql` that lead to the marts which are named first in RESULTS.md, in the words of Spark.
--
-- `-- table: NAME` is stored as Parquet, `-- view: NAME` is computed where it is read, and
-- `-- mart: NAME` is written to Parquet; `-- python: NAME` stands for a function of the program that runs this. The raw tables
-- `raw_web` and so on are views of the exports, all columns texts.

-- step: prepare
CREATE TEMPORARY FUNCTION as_of() RETURNS TIMESTAMP RETURN TIMESTAMP '2026-01-31 00:00:00+08:00';

CREATE TEMPORARY FUNCTION today() RETURNS DATE RETURN DATE '2026-01-31';

CREATE TEMPORARY FUNCTION txt(x STRING) RETURNS STRING RETURN CASE WHEN trim(x) IN ('', '-', 'null', 'N/A') THEN NULL ELSE trim(x) END;

CREATE TEMPORARY FUNCTION e164(x STRING) RETURNS STRING
RETURN CASE WHEN regexp_replace(x, '[^0-9+]', '') RLIKE '^(\\+86|0086|86)?1[3-9][0-9]{9}$' THEN concat('+86', right(regexp_replace(x, '[^0-9+]', ''), 11)) END;

CREATE TEMPORARY FUNCTION is_email(x STRING) RETURNS BOOLEAN RETURN x RLIKE '^[^@\\s]+@[^@\\s.]+(\\.[^@\\s.]+)+$';

CREATE TEMPORARY FUNCTION wall(x STRING) RETURNS TIMESTAMP RETURN try_to_timestamp(x, 'yyyy-MM-dd HH:mm:ss');

CREATE TEMPORARY FUNCTION money(x STRING) RETURNS DECIMAL(18, 4) RETURN try_cast(x AS DECIMAL(18, 4));

CREATE TEMPORARY FUNCTION typed_money(x STRING) RETURNS DECIMAL(18, 4) RETURN try_cast(regexp_replace(x, '[¥￥, ]', '') AS DECIMAL(18, 4));

CREATE TEMPORARY FUNCTION node(kind STRING, value STRING) RETURNS BIGINT RETURN CASE WHEN value NOT IN ('anonymous', 'guest', 'undefined', 'unknown', '0',
    'test@test.com', 'noreply@example.com', '+8613800138000', 'LC00000000', '00000000-0000-0000-0000-000000000000') THEN xxhash64(kind, value) END;

-- step: clean
-- table: web_typed
SELECT * EXCEPT (cart),
    coalesce(event_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL
    AND event_type IN ('page_view', 'product_view', 'add_to_cart', 'checkout') AND (email IS NULL OR is_email(email))
    AND (cart IS NULL OR cart_value >= 0), false) AS is_sound
FROM (
    SELECT txt(event_id) AS event_id, try_cast(txt(ts) AS TIMESTAMP) AS occurred_at, try_cast(txt(received_at) AS TIMESTAMP) AS received_at,
        txt(type) AS event_type, txt(session_id) AS session_id, lower(txt(cookie)) AS cookie_id, lower(txt(user_id)) AS user_id,
        lower(txt(email)) AS email, txt(url) AS url, upper(txt(sku)) AS sku, txt(order_id) AS order_id, lower(txt(utm.source)) AS utm_source,
        lower(txt(utm.medium)) AS utm_medium, lower(txt(utm.campaign)) AS utm_campaign, txt(referrer) AS referrer,
        lower(txt(device.type)) AS device_type, txt(device.os) AS device_os, txt(device.browser) AS browser, txt(cart_value) AS cart,
        money(txt(cart_value)) AS cart_value, _object
    FROM raw_web);

-- table: app_typed
SELECT * EXCEPT (written),
    coalesce(event_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL
    AND event_type IN ('app_open', 'product_view', 'add_to_cart', 'checkout') AND (written IS NULL OR phone IS NOT NULL), false) AS is_sound
FROM (
    SELECT txt(event_id) AS event_id, timestamp_millis(try_cast(txt(ts) AS BIGINT)) AS occurred_at,
        timestamp_millis(try_cast(txt(received_at) AS BIGINT)) AS received_at, txt(type) AS event_type, txt(session_id) AS session_id,
        lower(txt(device.id)) AS device_id, lower(txt(user_id)) AS user_id, txt(phone) AS written, e164(txt(phone)) AS phone, upper(txt(sku)) AS sku,
        txt(order_id) AS order_id, lower(txt(campaign_id)) AS campaign_id, txt(app.version) AS app_version, txt(device.os) AS device_os, _object
    FROM raw_app);

-- table: orders_typed
SELECT * EXCEPT (written),
    coalesce(order_id IS NOT NULL AND placed_at IS NOT NULL AND updated_at IS NOT NULL AND channel IN ('web', 'app')
    AND status IN ('paid', 'shipped', 'cancelled', 'refunded', 'test') AND currency IN ('CNY', 'USD', 'EUR', 'HKD') AND items_amount >= 0
    AND discount_amount >= 0 AND tax_amount >= 0 AND shipping_amount >= 0 AND refund_amount >= 0 AND refund_amount <= items_amount
    AND (email IS NULL OR is_email(email)) AND (written IS NULL OR phone IS NOT NULL), false) AS is_sound
FROM (
    SELECT txt(order_id) AS order_id, try_cast(txt(placed_at) AS TIMESTAMP) AS placed_at, try_cast(txt(updated_at) AS TIMESTAMP) AS updated_at,
        txt(channel) AS channel, lower(txt(status)) AS status, upper(txt(currency)) AS currency, money(txt(items_amount)) AS items_amount,
        money(coalesce(txt(discount_amount), '0')) AS discount_amount, money(coalesce(txt(tax_amount), '0')) AS tax_amount,
        money(coalesce(txt(shipping_amount), '0')) AS shipping_amount, money(coalesce(txt(refund_amount), '0')) AS refund_amount,
        try_cast(txt(refunded_at) AS TIMESTAMP) AS refunded_at, lower(txt(user_id)) AS user_id, lower(txt(email)) AS email, txt(phone) AS written,
        e164(txt(phone)) AS phone, lower(txt(cookie)) AS cookie_id, lower(txt(device_id)) AS device_id, txt(coupon.code) AS coupon_code,
        lower(txt(coupon.campaign_id)) AS coupon_campaign_id, txt(city) AS city, _object
    FROM raw_orders);

-- table: online_order_lines
SELECT * EXCEPT (copy) FROM (
    SELECT *, row_number() OVER (PARTITION BY order_id, line_no ORDER BY placed_at DESC, _object DESC) AS copy FROM (
        SELECT nullif(trim(order_id), '') AS order_id, try_cast(line_no AS BIGINT) AS line_no, try_cast(placed_at AS TIMESTAMP) AS placed_at,
            upper(nullif(trim(sku), '')) AS sku, try_cast(quantity AS BIGINT) AS quantity, money(unit_price) AS unit_price, _object
        FROM raw_order_lines)
    WHERE order_id IS NOT NULL AND line_no >= 1 AND placed_at IS NOT NULL AND sku IS NOT NULL AND quantity > 0 AND unit_price >= 0)
WHERE copy = 1;

-- table: store_typed
SELECT * EXCEPT (written),
    coalesce(receipt_id IS NOT NULL AND line_no >= 1 AND store_id IS NOT NULL AND sold_at IS NOT NULL AND kind IN ('sale', 'return')
    AND sku IS NOT NULL AND quantity <> 0 AND unit_price >= 0 AND discount IS NOT NULL
    AND ((kind = 'sale' AND amount >= 0) OR (kind = 'return' AND amount <= 0)) AND (written IS NULL OR phone IS NOT NULL), false) AS is_sound
FROM (
    SELECT txt(receipt_id) AS receipt_id, try_cast(txt(line_no) AS BIGINT) AS line_no, txt(store_id) AS store_id,
        try_to_timestamp(txt(sold_at), 'dd/MM/yyyy HH:mm') AS sold_at, lower(txt(kind)) AS kind, txt(original_receipt_id) AS original_receipt_id,
        upper(txt(loyalty_card)) AS loyalty_card, txt(phone) AS written, e164(txt(phone)) AS phone, upper(txt(sku)) AS sku,
        try_cast(txt(quantity) AS BIGINT) AS quantity, typed_money(txt(unit_price)) AS unit_price, typed_money(coalesce(txt(discount), '0')) AS discount,
        typed_money(txt(amount)) AS amount, _object
    FROM raw_store);

-- table: sends_typed
SELECT *,
    coalesce(send_id IS NOT NULL AND campaign_id IS NOT NULL AND channel IN ('email', 'sms', 'push') AND assigned_group IN ('treatment', 'control')
    AND assigned_at IS NOT NULL AND updated_at IS NOT NULL AND (email IS NULL OR is_email(email)), false) AS is_sound
FROM (
    SELECT txt(send_id) AS send_id, lower(txt(campaign_id)) AS campaign_id, lower(txt(channel)) AS channel, lower(txt(user_id)) AS user_id,
        lower(txt(email)) AS email, lower(txt(`group`)) AS assigned_group, try_cast(txt(assigned_at) AS TIMESTAMP) AS assigned_at,
        try_cast(txt(sent_at) AS TIMESTAMP) AS sent_at, try_cast(txt(opened_at) AS TIMESTAMP) AS opened_at,
        try_cast(txt(clicked_at) AS TIMESTAMP) AS clicked_at, try_cast(txt(updated_at) AS TIMESTAMP) AS updated_at, _object
    FROM raw_sends);

-- table: crm_typed
SELECT * EXCEPT (written, born),
    coalesce(user_id IS NOT NULL AND (email IS NULL OR is_email(email)) AND (second_email IS NULL OR is_email(second_email))
    AND (written IS NULL OR phone IS NOT NULL) AND (born IS NULL OR birthday IS NOT NULL) AND (gender IS NULL OR gender IN ('f', 'm', 'x'))
    AND created_at IS NOT NULL AND updated_at IS NOT NULL, false) AS is_sound
FROM (
    SELECT lower(txt(user_id)) AS user_id, txt(name) AS name, lower(txt(email)) AS email, lower(txt(second_email)) AS second_email,
        txt(phone) AS written, e164(txt(phone)) AS phone, upper(txt(loyalty_card)) AS loyalty_card, txt(birthday) AS born,
        try_cast(replace(txt(birthday), '/', '-') AS DATE) AS birthday, lower(txt(gender)) AS gender, txt(city) AS city,
        coalesce(try_cast(txt(consent_email) AS BOOLEAN), false) AS consent_email, coalesce(try_cast(txt(consent_sms) AS BOOLEAN), false) AS consent_sms,
        wall(txt(created_at)) AS created_at, wall(txt(updated_at)) AS updated_at, _object
    FROM raw_crm);

-- table: campaigns
SELECT * EXCEPT (copy) FROM (
    SELECT lower(trim(campaign_id)) AS campaign_id, trim(name) AS name, lower(trim(channel)) AS channel, try_cast(start_date AS DATE) AS start_date,
        try_cast(end_date AS DATE) AS end_date, money(budget) AS budget,
        row_number() OVER (PARTITION BY lower(trim(campaign_id)) ORDER BY wall(updated_at) DESC, _object DESC) AS copy
    FROM raw_campaigns)
WHERE copy = 1;

-- table: campaign_costs
SELECT * EXCEPT (copy) FROM (
    SELECT *, row_number() OVER (PARTITION BY cost_date, campaign_id ORDER BY reported_at DESC, _object DESC) AS copy FROM (
        SELECT try_cast(txt(date) AS DATE) AS cost_date, lower(txt(campaign_id)) AS campaign_id, lower(txt(channel)) AS channel,
            upper(txt(currency)) AS currency, typed_money(txt(cost)) AS cost, try_cast(txt(impressions) AS BIGINT) AS impressions,
            try_cast(txt(clicks) AS BIGINT) AS clicks, try_cast(txt(platform_conversions) AS BIGINT) AS platform_conversions,
            wall(txt(reported_at)) AS reported_at, _object
        FROM raw_campaign_costs)
    WHERE cost_date IS NOT NULL AND campaign_id IS NOT NULL AND currency IN ('CNY', 'USD', 'EUR', 'HKD') AND cost >= 0 AND reported_at IS NOT NULL)
WHERE copy = 1;

-- table: products
SELECT * EXCEPT (copy) FROM (
    SELECT upper(trim(sku)) AS sku, trim(name) AS name, trim(category) AS category, money(unit_cost) AS unit_cost, money(price) AS price,
        row_number() OVER (PARTITION BY upper(trim(sku)) ORDER BY wall(updated_at) DESC, _object DESC) AS copy
    FROM raw_products)
WHERE copy = 1;

-- table: exchange_rates
SELECT try_cast(date AS DATE) AS rate_date, upper(currency) AS currency, max_by(try_cast(rate AS DECIMAL(18, 8)), _object) AS rate
FROM raw_exchange_rates GROUP BY 1, 2;

-- step: identity
-- table: seen_together
SELECT node('user_id', user_id) AS u, node('email', email) AS e, node('phone', phone) AS p, node('loyalty_card', loyalty_card) AS l,
    node('device', device_id) AS d, node('cookie', cookie_id) AS c, user_id, email, phone, loyalty_card, device_id, cookie_id, moment
FROM (
    SELECT cookie_id, NULL AS device_id, user_id, email, NULL AS phone, NULL AS loyalty_card, min(occurred_at) AS moment FROM web_typed WHERE is_sound GROUP BY cookie_id, user_id, email
    UNION ALL SELECT NULL, device_id, user_id, NULL, phone, NULL, min(occurred_at) FROM app_typed WHERE is_sound GROUP BY device_id, user_id, phone
    UNION ALL SELECT cookie_id, device_id, user_id, email, phone, NULL, min(placed_at) FROM orders_typed WHERE is_sound GROUP BY cookie_id, device_id, user_id, email, phone
    UNION ALL SELECT NULL, NULL, NULL, NULL, phone, loyalty_card, min(sold_at) FROM store_typed WHERE is_sound GROUP BY phone, loyalty_card
    UNION ALL SELECT NULL, NULL, user_id, email, NULL, NULL, min(assigned_at) FROM sends_typed WHERE is_sound GROUP BY user_id, email
    UNION ALL SELECT NULL, NULL, user_id, email, phone, loyalty_card, min(created_at) FROM crm_typed WHERE is_sound GROUP BY user_id, email, phone, loyalty_card);

-- table: identifiers
SELECT node, any_value(value) AS value, min(moment) AS first_seen
FROM (
    SELECT u AS node, concat('user_id:', user_id) AS value, moment FROM seen_together WHERE u IS NOT NULL
    UNION ALL SELECT e, concat('email:', email), moment FROM seen_together WHERE e IS NOT NULL
    UNION ALL SELECT p, concat('phone:', phone), moment FROM seen_together WHERE p IS NOT NULL
    UNION ALL SELECT l, concat('loyalty_card:', loyalty_card), moment FROM seen_together WHERE l IS NOT NULL
    UNION ALL SELECT d, concat('device:', device_id), moment FROM seen_together WHERE d IS NOT NULL
    UNION ALL SELECT c, concat('cookie:', cookie_id), moment FROM seen_together WHERE c IS NOT NULL)
GROUP BY node;

-- table: strong_links
SELECT DISTINCT a, b FROM (
    SELECT coalesce(u, e, p, l) AS a, explode(array(e, p, l)) AS b FROM seen_together)
WHERE b IS NOT NULL AND a <> b;

-- python: components strong_links strong_labels

-- A device on which more than one customer was seen links nobody and is a customer of its own.
-- table: device_labels
SELECT d AS id, CASE WHEN min(owner) = max(owner) THEN min(owner) ELSE d END AS label, coalesce(min(owner) <> max(owner), false) AS is_shared
FROM (
    SELECT d, coalesce(label, s) AS owner
    FROM (SELECT DISTINCT d, coalesce(u, e, p, l) AS s FROM seen_together WHERE d IS NOT NULL) LEFT JOIN strong_labels ON id = s)
GROUP BY d;

-- So is a cookie; a shared device stands for nobody there.
-- table: cookie_labels
SELECT c AS id, CASE WHEN min(owner) = max(owner) THEN min(owner) ELSE c END AS label
FROM (
    SELECT c, CASE WHEN s IS NOT NULL THEN coalesce(strong.label, s) WHEN NOT is_shared THEN device.label END AS owner
    FROM (SELECT DISTINCT c, coalesce(u, e, p, l) AS s, d FROM seen_together WHERE c IS NOT NULL)
    LEFT JOIN strong_labels strong ON strong.id = s LEFT JOIN device_labels device ON device.id = d)
GROUP BY c;

-- table: identity_map
SELECT node, value, coalesce(label, node) AS customer_id, first_seen
FROM identifiers
LEFT JOIN (SELECT id, label FROM strong_labels UNION ALL SELECT id, label FROM device_labels UNION ALL SELECT id, label FROM cookie_labels) ON id = node;

-- step: dedupe
-- table: web_events
SELECT w.* EXCEPT (copy, is_sound), customer_id
FROM (SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY received_at DESC NULLS LAST, _object DESC) AS copy FROM web_typed WHERE is_sound) w
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('email', email), node('cookie', cookie_id)) WHERE copy = 1;

-- table: app_events
SELECT a.* EXCEPT (copy, is_sound), customer_id
FROM (SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY received_at DESC NULLS LAST, _object DESC) AS copy FROM app_typed WHERE is_sound) a
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('phone', phone), node('device', device_id)) WHERE copy = 1;

-- table: online_orders
SELECT o.* EXCEPT (copy, is_sound), customer_id
FROM (SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC, _object DESC) AS copy FROM orders_typed WHERE is_sound) o
LEFT JOIN identity_map
ON node = coalesce(node('user_id', user_id), node('email', email), node('phone', phone), node('device', device_id), node('cookie', cookie_id)) WHERE copy = 1;

-- table: store_sales
SELECT s.* EXCEPT (copy, is_sound), customer_id
FROM (SELECT *, row_number() OVER (PARTITION BY receipt_id, line_no ORDER BY sold_at DESC, _object DESC) AS copy FROM store_typed WHERE is_sound) s
LEFT JOIN identity_map ON node = coalesce(node('phone', phone), node('loyalty_card', loyalty_card)) WHERE copy = 1;

-- table: campaign_sends
SELECT s.* EXCEPT (copy, is_sound), customer_id
FROM (SELECT *, row_number() OVER (PARTITION BY send_id ORDER BY updated_at DESC, _object DESC) AS copy FROM sends_typed WHERE is_sound) s
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('email', email)) WHERE copy = 1;

-- table: crm_customers
SELECT c.* EXCEPT (copy, is_sound), customer_id
FROM (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY updated_at DESC, _object DESC) AS copy FROM crm_typed WHERE is_sound) c
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('email', email), node('phone', phone), node('loyalty_card', loyalty_card)) WHERE copy = 1;

-- step: facts
-- table: web_app
WITH sums AS (
    SELECT order_id, sum(quantity * unit_price) AS items, sum(quantity * unit_cost) AS cost, bool_and(unit_cost IS NOT NULL) AS costed
    FROM online_order_lines LEFT JOIN products USING (sku) GROUP BY order_id
), known AS (
    SELECT o.*, r.rate, s.items AS lines_items, s.cost, s.costed,
        CAST(CASE WHEN refunded_at >= as_of() THEN 0
             WHEN status = 'refunded' THEN greatest(refund_amount, items_amount - discount_amount)
             ELSE refund_amount END AS DECIMAL(18, 4)) AS refund
    FROM online_orders o
    LEFT JOIN sums s ON s.order_id = o.order_id
    LEFT JOIN exchange_rates r ON r.currency = o.currency AND r.rate_date = to_date(o.placed_at)
    WHERE o.placed_at < as_of()
), kept AS (
    SELECT *, CASE WHEN paid > 0 THEN ((2 * left_over * 1000000000000 + paid) DIV (2 * paid)) / 1000000000000.0BD ELSE 1 END::DECIMAL(18, 12) AS kept_share
    FROM (
        SELECT *, CAST(greatest((items_amount - discount_amount - refund) * 10000, 0) AS DECIMAL(20, 0)) AS left_over,
            CAST((items_amount - discount_amount) * 10000 AS DECIMAL(20, 0)) AS paid
        FROM known)
)
SELECT order_id, customer_id, placed_at AS ordered_at, channel,
    CAST(items_amount * rate AS DECIMAL(18, 4)) AS gross_value, CAST(discount_amount * rate AS DECIMAL(18, 4)) AS discount_value,
    CAST(refund * rate AS DECIMAL(18, 4)) AS refund_value, CAST(tax_amount * rate AS DECIMAL(18, 4)) AS tax_value,
    CAST(shipping_amount * rate AS DECIMAL(18, 4)) AS shipping_value, rate,
    CASE WHEN refund > 0 THEN to_date(coalesce(refunded_at, placed_at)) END AS refunded_on,
    lines_items = items_amount AS is_whole,
    CASE WHEN lines_items = items_amount AND costed THEN CAST(CAST(cost AS DECIMAL(18, 4)) * kept_share AS DECIMAL(18, 4)) END AS cost_value,
    coupon_campaign_id,
    CASE WHEN coupon_campaign_id IS NULL THEN 0
         ELSE CAST(CAST(discount_amount * rate AS DECIMAL(18, 4)) * kept_share AS DECIMAL(18, 4)) END::DECIMAL(18, 4) AS coupon_value,
    CASE WHEN status = 'test' THEN 'test' WHEN status = 'cancelled' THEN 'cancelled'
         WHEN customer_id IS NULL THEN 'unresolved' ELSE 'eligible' END AS eligibility
FROM kept;

-- table: receipts
SELECT s.receipt_id, min(customer_id) AS customer_id, min(sold_at) AS sold_at, min(original_receipt_id) AS original,
    bool_or(kind = 'sale') AS is_sale,
    CAST(sum(CASE WHEN kind = 'sale' THEN quantity * unit_price ELSE 0 END) AS DECIMAL(18, 4)) AS gross,
    CAST(sum(CASE WHEN kind = 'sale' THEN amount ELSE 0 END) AS DECIMAL(18, 4)) AS sold,
    CAST(sum(CASE WHEN kind = 'return' THEN -amount ELSE 0 END) AS DECIMAL(18, 4)) AS returned,
    CASE WHEN bool_and(unit_cost IS NOT NULL) THEN CAST(sum(quantity * unit_cost) AS DECIMAL(18, 4)) END AS cost
FROM store_sales s LEFT JOIN products p ON p.sku = s.sku
WHERE sold_at < as_of()
GROUP BY s.receipt_id;

-- view: store_orders
WITH back AS (
    SELECT original, sum(returned) AS returned, max(sold_at) AS moment, CASE WHEN bool_and(cost IS NOT NULL) THEN sum(cost) END AS cost
    FROM receipts WHERE NOT is_sale AND original IS NOT NULL GROUP BY original
)
SELECT r.receipt_id AS order_id, r.customer_id, r.sold_at AS ordered_at, 'store' AS channel, r.gross AS gross_value,
    r.gross - r.sold AS discount_value, r.returned + coalesce(b.returned, 0) AS refund_value, 0 AS tax_value, 0 AS shipping_value, 1 AS rate,
    CASE WHEN r.returned > 0 THEN greatest(to_date(r.sold_at), coalesce(to_date(b.moment), to_date(r.sold_at))) ELSE to_date(b.moment) END AS refunded_on,
    CASE WHEN b.original IS NULL THEN r.cost ELSE r.cost + b.cost END AS cost_value, CAST(NULL AS STRING) AS coupon_campaign_id, 0 AS coupon_value,
    CASE WHEN NOT r.is_sale THEN 'return_without_sale' WHEN r.customer_id IS NULL THEN 'unresolved' ELSE 'eligible' END AS eligibility
FROM receipts r LEFT JOIN back b ON b.original = r.receipt_id AND r.is_sale
LEFT JOIN receipts o ON o.receipt_id = r.original AND o.is_sale
WHERE r.is_sale OR o.receipt_id IS NULL;

-- table: orders
SELECT *, to_date(ordered_at) AS order_date, CAST(gross_value - discount_value AS DECIMAL(18, 4)) AS sale_value,
    CAST(gross_value - discount_value - refund_value AS DECIMAL(18, 4)) AS net_value, eligibility = 'eligible' AS is_eligible
FROM (SELECT order_id, customer_id, ordered_at, channel, gross_value, discount_value, refund_value, tax_value, shipping_value, refunded_on, cost_value,
        coupon_campaign_id, coupon_value, eligibility FROM web_app
    UNION ALL SELECT order_id, customer_id, ordered_at, channel, gross_value, discount_value, refund_value, tax_value, shipping_value, refunded_on, cost_value,
        coupon_campaign_id, coupon_value, eligibility FROM store_orders);

-- table: eligible
SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) AS n, trunc(order_date, 'MM') AS month
FROM orders WHERE is_eligible;

-- mart: fact_orders
SELECT o.order_id, o.customer_id, o.ordered_at, o.order_date, o.channel, o.gross_value, o.discount_value, o.refund_value,
    o.tax_value, o.shipping_value, o.net_value, o.sale_value, o.refunded_on, o.cost_value, o.coupon_campaign_id, o.coupon_value,
    o.is_eligible, o.eligibility, coalesce(e.n = 1, false) AS is_first_order, as_of() AS as_of, '2' AS definition_version
FROM orders o LEFT JOIN eligible e ON e.order_id = o.order_id;

-- table: lines
SELECT l.order_id, line_no AS line_number, sku AS product_id, category, quantity, CAST(quantity * unit_price * rate AS DECIMAL(18, 4)) AS gross_value,
    CASE WHEN is_whole THEN CAST(quantity * unit_cost AS DECIMAL(18, 4)) END AS cost_value
FROM online_order_lines l LEFT JOIN products USING (sku) JOIN web_app w ON w.order_id = l.order_id
UNION ALL
SELECT s.receipt_id, line_no, s.sku, category, quantity, CAST(quantity * unit_price AS DECIMAL(18, 4)), CAST(quantity * unit_cost AS DECIMAL(18, 4))
FROM store_sales s LEFT JOIN products p ON p.sku = s.sku LEFT SEMI JOIN (SELECT receipt_id FROM receipts WHERE is_sale) r ON r.receipt_id = s.receipt_id
WHERE kind = 'sale';

-- mart: fact_order_lines
SELECT *, as_of() AS as_of, '3' AS definition_version FROM lines;

-- mart: dim_products
SELECT sku AS product_id, name AS product_name, category, unit_cost AS unit_cost_value, price AS unit_price_value,
    as_of() AS as_of, '2' AS definition_version FROM products;

-- mart: dim_campaigns
SELECT campaign_id, name AS campaign_name, channel, true AS is_acquisition, start_date, end_date, budget AS budget_value, as_of() AS as_of,
    '2' AS definition_version FROM campaigns;

-- view: web_visits
SELECT session_id, customer_id, min_by(struct(event_id AS e, referrer AS r), struct(occurred_at, event_id)) AS first,
    min(occurred_at) AS moment,
    min_by(struct(utm_campaign AS c, utm_medium AS m), struct(utm_campaign IS NULL AS a, utm_medium IS NULL AS b, occurred_at, event_id)) AS link
FROM web_events WHERE customer_id IS NOT NULL AND occurred_at < as_of() GROUP BY session_id, customer_id;

-- view: app_visits
SELECT session_id, customer_id, min_by(event_id, struct(occurred_at, event_id)) AS event_id, min(occurred_at) AS moment,
    min_by(campaign_id, struct(campaign_id IS NULL AS a, occurred_at, event_id)) AS campaign_id
FROM app_events WHERE customer_id IS NOT NULL AND occurred_at < as_of() GROUP BY session_id, customer_id;

-- table: touches
WITH treated AS (
    SELECT * FROM campaign_sends WHERE customer_id IS NOT NULL AND assigned_group = 'treatment'
), happened AS (
    SELECT concat('sent:', send_id) AS touch_id, customer_id, sent_at AS touched_at, 'message_sent' AS touch_type, channel, campaign_id,
        CAST(NULL AS STRING) AS session_id, 1 AS source_order
    FROM treated WHERE sent_at < as_of()
    UNION ALL
    SELECT concat('clicked:', send_id), customer_id, clicked_at, 'message_clicked', channel, campaign_id, NULL, 2 FROM treated WHERE clicked_at < as_of()
    UNION ALL
    SELECT concat('web:', first.e), customer_id, moment, 'web_session',
        CASE WHEN link.m IN ('cpc', 'ppc') THEN 'paid_search' WHEN link.m IS NOT NULL THEN link.m
             WHEN first.r RLIKE '//([^/]*\\.)?(baidu|bing|google|search|sogou)\\.' THEN 'organic_search'
             WHEN first.r IS NOT NULL THEN 'referral' ELSE 'direct' END, link.c, session_id, 3
    FROM web_visits
    UNION ALL
    SELECT concat('app:', event_id), customer_id, moment, 'app_session', 'app', campaign_id, session_id, 4 FROM app_visits
)
SELECT touch_id, customer_id, touched_at, to_date(touched_at) AS touch_date, touch_type, coalesce(k.channel, h.channel) AS channel,
    h.campaign_id, session_id, source_order
FROM happened h LEFT JOIN campaigns k ON k.campaign_id = h.campaign_id;

-- mart: fact_touches
SELECT *, as_of() AS as_of, '2' AS definition_version FROM touches;

-- step: rfm
-- table: segmented
WITH nights AS (
    SELECT night, day FROM VALUES ('now', DATE '2026-01-31'), ('then', DATE '2026-01-01') AS t (night, day)
), buyers AS (
    SELECT night, customer_id, max(order_date) AS last_day, datediff(day, max(order_date)) - 1 AS recency,
        count(*) FILTER (WHERE order_date >= day - 365) AS frequency,
        CAST(coalesce(sum(net_value) FILTER (WHERE order_date >= day - 365), 0) AS DECIMAL(18, 4)) AS monetary
    FROM eligible CROSS JOIN nights WHERE order_date < day GROUP BY night, day, customer_id
), scored AS (
    SELECT *, count(*) OVER everybody AS buyers, rank() OVER by_r - 1 AS worse_r, rank() OVER by_f - 1 AS worse_f, rank() OVER by_m - 1 AS worse_m,
        CASE WHEN count(*) OVER everybody < 25 OR min(recency) OVER everybody = max(recency) OVER everybody
                OR min(frequency) OVER everybody = max(frequency) OVER everybody OR min(monetary) OVER everybody = max(monetary) OVER everybody
             THEN 'degenerate' ELSE 'ok' END AS quality
    FROM buyers
    WINDOW everybody AS (PARTITION BY night), by_r AS (PARTITION BY night ORDER BY recency DESC),
        by_f AS (PARTITION BY night ORDER BY frequency), by_m AS (PARTITION BY night ORDER BY monetary)
), numbered AS (
    SELECT *, least(5, 1 + 5 * worse_r DIV buyers) AS r, least(5, 1 + 5 * worse_f DIV buyers) AS f,
        CASE WHEN monetary <= 0 THEN 1 ELSE least(5, 1 + 5 * worse_m DIV buyers) END AS m
    FROM scored
)
SELECT *, (f + m + 1) DIV 2 AS fm,
    element_at(split(element_at(array('Hibernating,Hibernating,At risk,At risk,Can\'t lose them', 'Hibernating,Hibernating,At risk,At risk,Can\'t lose them',
     'About to sleep,About to sleep,Need attention,Loyal,Loyal', 'Promising,Potential loyalist,Potential loyalist,Loyal,Loyal',
     'New,Potential loyalist,Potential loyalist,Champions,Champions'), CAST(r AS INT)), ','), CAST((f + m + 1) DIV 2 AS INT)) AS segment
FROM numbered;

-- mart: fact_rfm_segments
WITH known AS (
    SELECT DISTINCT customer_id FROM (
        SELECT customer_id, created_at AS moment FROM crm_customers UNION ALL SELECT customer_id, assigned_at FROM campaign_sends
        UNION ALL SELECT customer_id, placed_at FROM online_orders UNION ALL SELECT customer_id, sold_at FROM store_sales)
    WHERE customer_id IS NOT NULL AND moment < as_of()
), first_seen AS (SELECT customer_id, min(first_seen) AS moment FROM identity_map GROUP BY customer_id)
SELECT k.customer_id, n.last_day AS last_order_date, n.recency AS recency_days, coalesce(n.frequency, 0) > 0 AS in_window,
    coalesce(n.frequency, 0) AS frequency, CAST(coalesce(n.monetary, 0) AS DECIMAL(18, 4)) AS monetary_total,
    CASE WHEN n.frequency > 0 THEN CAST(sign(n.monetary) * ((2 * abs(n.monetary * 10000) + n.frequency) DIV (2 * n.frequency)) AS DECIMAL(18, 0)) / 10000BD END AS aov,
    n.r AS r_score, n.f AS f_score, n.m AS m_score, n.fm AS fm_score, coalesce(n.segment, 'Prospects') AS segment,
    coalesce(t.segment, CASE WHEN to_date(s.moment) < today() - 30 THEN 'Prospects' END) AS previous_segment,
    today() - 30 AS previous_as_of_date, coalesce(n.frequency > 0 AND n.monetary <= 0, false) AS net_nonpositive,
    n.quality AS score_quality, 'quantile' AS score_mode, 365 AS window_days, as_of() AS as_of, '2' AS definition_version
FROM known k LEFT JOIN first_seen s ON s.customer_id = k.customer_id
LEFT JOIN segmented n ON n.customer_id = k.customer_id AND n.night = 'now'
LEFT JOIN segmented t ON t.customer_id = k.customer_id AND t.night = 'then';

-- step: churn
-- table: spells
SELECT customer_id, order_date AS day, lag(order_date) OVER w AS before, lead(order_date) OVER w AS next
FROM (SELECT DISTINCT customer_id, order_date FROM eligible) WINDOW w AS (PARTITION BY customer_id ORDER BY order_date);

-- table: cohorts
SELECT customer_id, trunc(min(order_date), 'MM') AS cohort FROM eligible GROUP BY customer_id;

-- table: months
SELECT month, add_months(month, 1) AS until, add_months(month, 1) <= today() AS done
FROM (SELECT explode(sequence(min(month), today() - 1, INTERVAL 1 MONTH)) AS month FROM eligible);

-- mart: fact_cohort_churn
WITH churned AS (
    SELECT customer_id, trunc(day + 90, 'MM') AS month, count(*) AS churns FROM spells WHERE coalesce(next, today()) > day + 90 GROUP BY ALL
), returned AS (
    SELECT customer_id, trunc(day, 'MM') AS month, count(*) AS returns FROM spells WHERE datediff(day, before) > 90 GROUP BY ALL
), members AS (
    SELECT c.customer_id, c.cohort, m.month, m.until, m.done, max(s.day) FILTER (WHERE s.day < m.month) AS before, max(s.day) >= m.month AS stays
    FROM cohorts c JOIN months m ON m.month >= c.cohort JOIN spells s ON s.customer_id = c.customer_id GROUP BY c.customer_id, c.cohort, m.month, m.until, m.done
), presence AS (
    SELECT m.*, coalesce(datediff(m.month, m.before) - 1 < 90, false) AS was_there, coalesce(churns, 0) AS churns, coalesce(returns, 0) AS returns
    FROM members m LEFT JOIN churned x ON x.customer_id = m.customer_id AND x.month = m.month
    LEFT JOIN returned r ON r.customer_id = m.customer_id AND r.month = m.month
), bought AS (SELECT customer_id, month, count(*) AS orders, sum(net_value) AS revenue FROM eligible GROUP BY ALL),
cells AS (
    SELECT p.cohort, p.month, p.until, p.done, count(*) AS size, count(b.customer_id) AS active, coalesce(sum(b.orders), 0) AS orders,
        CAST(coalesce(sum(b.revenue), 0) AS DECIMAL(18, 4)) AS revenue, count(*) FILTER (WHERE stays) AS retained,
        count(*) FILTER (WHERE was_there) AS there, sum(CASE WHEN was_there THEN churns ELSE 0 END) AS churned, sum(returns) AS returned
    FROM presence p LEFT JOIN bought b ON b.customer_id = p.customer_id AND b.month = p.month GROUP BY p.cohort, p.month, p.until, p.done
), summed AS (SELECT *, CAST(sum(revenue) OVER (PARTITION BY cohort ORDER BY month) AS DECIMAL(18, 4)) AS cumulated FROM cells)
SELECT cohort AS cohort_start, 'month' AS period_grain, CAST(months_between(month, cohort) AS INT) AS period_index, month AS period_start,
    until AS period_end, done AS is_complete, size AS cohort_size, active AS active_customers,
    CASE WHEN done THEN active / size END AS retention_classic, retained AS retained_customers,
    CASE WHEN done THEN retained / size END AS retention_rolling, orders, revenue, cumulated AS cum_net_value,
    CASE WHEN done THEN CAST(sign(cumulated) * ((2 * abs(cumulated * 10000) + size) DIV (2 * size)) AS DECIMAL(18, 0)) / 10000BD END AS cum_per_member,
    there AS customers_at_start, churned AS churned_customers, returned AS reactivated_customers,
    CASE WHEN done AND there > 0 THEN churned / there END AS churn_rate, 90 AS churn_days, 'fixed' AS threshold_rule,
    as_of() AS as_of, '2' AS definition_version
FROM summed;

-- step: attribution
-- table: in_window
SELECT e.order_id, t.touch_id, touched_at, source_order, t.channel, campaign_id
FROM eligible e JOIN touches t ON t.customer_id = e.customer_id AND t.touched_at BETWEEN e.ordered_at - INTERVAL 720 HOURS AND e.ordered_at;

-- table: steps
SELECT order_id, touch_id, touched_at, channel, campaign_id, row_number() OVER (PARTITION BY order_id ORDER BY touched_at, source_order, touch_id) AS pos FROM (
    SELECT *, lag(struct(channel, coalesce(campaign_id, '') AS campaign)) OVER (PARTITION BY order_id ORDER BY touched_at, source_order, touch_id) AS former
    FROM in_window)
WHERE former IS NULL OR former.channel <> channel OR former.campaign <> coalesce(campaign_id, '');

-- table: vain
SELECT customer_id, before, touched_at, source_order, touch_id, channel FROM (
    SELECT *, sum(is_order) OVER (PARTITION BY customer_id ORDER BY touched_at, is_order, touch_id ROWS UNBOUNDED PRECEDING) AS before FROM (
        SELECT t.customer_id, t.touched_at, t.source_order, t.touch_id, t.channel, 0 AS is_order FROM touches t LEFT ANTI JOIN in_window w ON w.touch_id = t.touch_id
        UNION ALL SELECT customer_id, ordered_at, NULL, order_id, NULL, 1 FROM eligible))
WHERE channel IS NOT NULL;

-- table: transitions
SELECT source, target, count(*) AS n FROM (
    SELECT coalesce(lag(channel) OVER (PARTITION BY order_id ORDER BY pos), '') AS source, channel AS target FROM steps
    UNION ALL SELECT max_by(channel, pos), 'true' FROM steps GROUP BY order_id
    UNION ALL SELECT coalesce(lag(channel) OVER (PARTITION BY customer_id, before ORDER BY touched_at, source_order, touch_id), ''), channel FROM vain
    UNION ALL SELECT max_by(channel, struct(touched_at, source_order, touch_id)), 'false' FROM vain GROUP BY customer_id, before)
GROUP BY ALL;

-- python: removal_effects

-- view: shape
SELECT s.*, count(*) OVER o AS n, sum(CASE WHEN nth = 1 THEN 1 ELSE 0 END) OVER o AS kinds, count(*) OVER (PARTITION BY order_id, s.channel) AS same,
    coalesce(max(CASE WHEN s.channel <> 'direct' THEN pos END) OVER o, count(*) OVER o) AS last_real,
    unix_micros(max(touched_at) OVER o) - unix_micros(touched_at) AS micros, coalesce(r.effect, 0) AS effect
FROM (SELECT *, row_number() OVER (PARTITION BY order_id, channel ORDER BY pos) AS nth FROM steps) s
LEFT JOIN removal_effects r ON r.channel = s.channel
WINDOW o AS (PARTITION BY order_id);

-- view: shares
WITH weights AS (
    SELECT order_id, pos, touch_id, channel, campaign_id, n, CAST(CAST(pos = 1 AS INT) AS DECIMAL(18, 15)) AS first,
        CAST(CAST(pos = n AS INT) AS DECIMAL(18, 15)) AS last, CAST(CAST(pos = last_real AS INT) AS DECIMAL(18, 15)) AS real,
        CAST(1 AS DECIMAL(18, 15)) AS linear,
        CAST(CASE WHEN n < 3 THEN 1D WHEN pos IN (1, n) THEN 0.4D ELSE 0.2D / (n - 2) END AS DECIMAL(18, 15)) AS position,
        CAST(CAST(pow(2, -(micros / 86400000000) / 7) AS DECIMAL(13, 12)) AS DECIMAL(18, 15)) AS decay,
        CAST(CAST(effect AS DECIMAL(13, 12)) AS DECIMAL(18, 15)) AS markov, CAST(1D / kinds / same AS DECIMAL(18, 15)) AS shapley
    FROM shape
), summed AS (
    SELECT *, sum(first) OVER o AS sum_first, sum(last) OVER o AS sum_last, sum(real) OVER o AS sum_real, sum(linear) OVER o AS sum_linear,
        sum(position) OVER o AS sum_position, sum(decay) OVER o AS sum_decay, sum(markov) OVER o AS sum_markov, sum(shapley) OVER o AS sum_shapley
    FROM weights WINDOW o AS (PARTITION BY order_id)
), listed AS (
    SELECT order_id, pos, touch_id, channel, coalesce(campaign_id, '(no campaign)') AS campaign_id, n, stack(8,
        'first', first, sum_first, 'last', last, sum_last, 'last_non_direct', real, sum_real, 'linear', linear, sum_linear,
        'position', position, sum_position, 'time_decay', decay, sum_decay, 'markov', markov, sum_markov, 'shapley', shapley, sum_shapley) AS (model, w, total)
    FROM summed
)
SELECT order_id, pos, touch_id, channel, model, campaign_id, total = 0 AS is_fallback,
    CAST(CASE WHEN total = 0 THEN 1D / n ELSE CAST(w AS DOUBLE) / CAST(total AS DOUBLE) END AS DECIMAL(13, 12)) AS weight
FROM listed WHERE total = 0 OR w > 0;

-- table: earned
WITH told AS (
    SELECT l.order_id, CAST(sum(l.gross_value) * 10000 AS DECIMAL(18, 0)) AS gross,
        CAST(coalesce(sum(l.gross_value) FILTER (WHERE l.cost_value IS NOT NULL), 0) * 10000 AS DECIMAL(18, 0)) AS costed,
        CAST(coalesce(sum(l.cost_value), 0) AS DECIMAL(18, 4)) AS cost, CAST(any_value(greatest(e.net_value, 0)) * 10000 AS DECIMAL(18, 0)) AS kept,
        CAST(any_value(e.net_value + e.refund_value) * 10000 AS DECIMAL(18, 0)) AS sold
    FROM lines l JOIN eligible e ON e.order_id = l.order_id WHERE e.cost_value IS NULL GROUP BY l.order_id
), margins AS (
    SELECT order_id,
        CASE WHEN gross > 0 THEN CAST(((2 * (35 * gross + 65 * costed) * 10000000000BD + gross) DIV (2 * gross)) / 1000000000000.0BD AS DECIMAL(18, 12)) END AS margin_rate,
        CAST(cost * CAST(CASE WHEN sold > 0 THEN ((2 * kept * 1000000000000BD + sold) DIV (2 * sold)) / 1000000000000.0BD ELSE 1 END AS DECIMAL(18, 12))
            AS DECIMAL(18, 4)) AS known_cost
    FROM told
)
SELECT e.*, CAST(CAST(CASE WHEN cost_value IS NOT NULL THEN net_value - cost_value WHEN margin_rate IS NOT NULL THEN net_value * margin_rate - known_cost
    ELSE net_value * 0.35 END AS DECIMAL(36, 16)) + coupon_value AS DECIMAL(18, 4)) AS contribution
FROM eligible e LEFT JOIN margins m ON m.order_id = e.order_id;

-- table: credits
WITH parts AS (
    SELECT s.*, m.customer_id, m.month, m.n, m.cost_value IS NULL AS is_estimated, m.refunded_on,
        m.net_value, m.refund_value, m.contribution, CAST(m.net_value * weight AS DECIMAL(18, 4)) AS net, CAST(m.refund_value * weight AS DECIMAL(18, 4)) AS refund,
        CAST(m.contribution * weight AS DECIMAL(18, 4)) AS contributed, row_number() OVER (PARTITION BY s.order_id, model ORDER BY weight DESC, pos) = 1 AS takes
    FROM shares s JOIN earned m ON m.order_id = s.order_id
)
SELECT order_id, customer_id, month, model, pos, touch_id, channel, campaign_id, is_fallback, is_estimated, refunded_on, n,
    CAST(weight + CASE WHEN takes THEN 1 - sum(weight) OVER w ELSE 0 END AS DECIMAL(13, 12)) AS weight,
    CAST(net + CASE WHEN takes THEN net_value - sum(net) OVER w ELSE 0 END AS DECIMAL(18, 4)) AS net_value,
    CAST(refund + CASE WHEN takes THEN refund_value - sum(refund) OVER w ELSE 0 END AS DECIMAL(18, 4)) AS refund_value,
    CAST(contributed + CASE WHEN takes THEN contribution - sum(contributed) OVER w ELSE 0 END AS DECIMAL(18, 4)) AS contribution
FROM parts WINDOW w AS (PARTITION BY order_id, model)
UNION ALL
SELECT e.order_id, customer_id, month, model, NULL, NULL, '(unattributed)', '(unattributed)', false, cost_value IS NULL, refunded_on, n, 1, net_value,
    refund_value, contribution
FROM earned e LEFT ANTI JOIN steps s ON s.order_id = e.order_id CROSS JOIN (SELECT DISTINCT model FROM shares);

-- mart: fact_attribution_credits
SELECT order_id, customer_id, month AS order_month, model, pos AS touch_position, touch_id, channel, campaign_id, weight, net_value, refund_value,
    refunded_on, contribution AS contribution_value, is_estimated, n = 1 AS is_first_order, is_fallback, 30 AS attribution_days,
    CAST(CASE WHEN model = 'time_decay' THEN 7 END AS DECIMAL(9, 4)) AS half_life_days, as_of() AS as_of, '3' AS definition_version
FROM credits;

-- step: campaigns
-- table: costs
SELECT campaign_id, trunc(cost_date, 'MM') AS month, sum(CAST(cost * rate AS DECIMAL(18, 4))) AS spend
FROM campaign_costs c JOIN exchange_rates r ON r.currency = c.currency AND r.rate_date = c.cost_date WHERE cost_date < today() GROUP BY ALL;

-- mart: fact_campaign_roi
WITH credited AS (
    SELECT campaign_id, model, month, sum(weight) AS orders, sum(CASE WHEN n = 1 THEN weight ELSE 0 END) AS gained, sum(net_value) AS net,
        sum(refund_value) AS refunds, sum(contribution) AS contribution, sum(CASE WHEN is_estimated THEN net_value ELSE 0 END) AS estimated
    FROM credits GROUP BY campaign_id, model, month
), seen AS (
    SELECT coalesce(campaign_id, '(no campaign)') AS campaign_id, trunc(touch_date, 'MM') AS month, count(*) AS touches FROM touches GROUP BY ALL
), coupons AS (
    SELECT coupon_campaign_id AS campaign_id, month, sum(coupon_value) AS coupon FROM eligible WHERE coupon_campaign_id IS NOT NULL GROUP BY ALL
), cells AS (
    SELECT campaign_id, month FROM credited UNION SELECT campaign_id, month FROM seen UNION SELECT campaign_id, month FROM coupons
    UNION SELECT campaign_id, month FROM costs UNION SELECT '(unattributed)', month FROM eligible
), cohort_value AS (
    SELECT cohort, CAST(months_between(month, cohort) AS INT) AS k,
        CAST(CAST(sign(earned) * ((2 * abs(earned * 10000) + members) DIV (2 * members)) AS DECIMAL(18, 0)) / 10000BD AS DOUBLE) AS value
    FROM (
        SELECT cohort, month, CAST(sum(sum(contribution)) OVER (PARTITION BY cohort ORDER BY month) AS DECIMAL(18, 4)) AS earned
        FROM earned JOIN cohorts USING (customer_id) GROUP BY cohort, month)
    JOIN (SELECT cohort, count(*) AS members FROM cohorts GROUP BY cohort) USING (cohort)
    JOIN months USING (month) WHERE done
), joined AS (
    SELECT r.campaign_id, g.model, r.month, CAST(coalesce(s.spend, 0) AS DECIMAL(18, 4)) AS spend, CAST(coalesce(k.coupon, 0) AS DECIMAL(18, 4)) AS coupon,
        coalesce(t.touches, 0) AS touches, coalesce(c.orders, 0) AS orders, coalesce(c.gained, 0) AS gained, coalesce(c.net, 0) AS net,
        coalesce(c.refunds, 0) AS refunds, coalesce(c.contribution, 0) AS contribution, coalesce(c.estimated, 0) AS estimated,
        CASE WHEN s.spend > 0 AND c.gained > 0 THEN CAST(s.spend AS DOUBLE) / CAST(c.gained AS DOUBLE) END AS cac
    FROM cells r CROSS JOIN (SELECT DISTINCT model FROM credits) g
    LEFT JOIN credited c ON c.campaign_id = r.campaign_id AND c.month = r.month AND c.model = g.model
    LEFT JOIN costs s ON s.campaign_id = r.campaign_id AND s.month = r.month
    LEFT JOIN coupons k ON k.campaign_id = r.campaign_id AND k.month = r.month
    LEFT JOIN seen t ON t.campaign_id = r.campaign_id AND t.month = r.month
), paybacks AS (
    SELECT j.month, j.cac, min(k) AS payback_months FROM (SELECT DISTINCT month, cac FROM joined) j JOIN cohort_value v ON v.cohort = j.month AND v.value >= j.cac
    GROUP BY j.month, j.cac
), lifetimes AS (SELECT cohort, max_by(value, k) AS lifetime FROM cohort_value GROUP BY cohort),
earnings AS (SELECT month, CAST(sum(net_value) AS DOUBLE) AS net FROM eligible GROUP BY month),
spendings AS (SELECT month, CAST(sum(spend) AS DOUBLE) AS spend FROM costs GROUP BY month),
won AS (SELECT cohort AS month, count(*) AS newcomers FROM cohorts GROUP BY cohort)
SELECT j.campaign_id, d.name AS campaign_name, CASE WHEN j.campaign_id LIKE '(%' THEN j.campaign_id ELSE d.channel END AS channel, j.model,
    j.month AS month_start, add_months(j.month, 1) AS month_end, add_months(j.month, 1) <= today() AS is_complete,
    j.spend, j.spend AS acquisition_spend, j.coupon AS coupon_value, j.spend + j.coupon AS total_cost, j.touches, j.orders AS attributed_conversions,
    j.gained AS attributed_new_customers, j.net AS attributed_net_revenue, j.refunds AS attributed_refunds,
    j.contribution AS attributed_contribution, j.estimated AS net_revenue_without_cost,
    CASE WHEN j.spend > 0 THEN CAST(j.net AS DOUBLE) / CAST(j.spend AS DOUBLE) END AS roas,
    CASE WHEN j.spend > 0 THEN CAST(j.contribution - (j.spend + j.coupon) AS DOUBLE) / CAST(j.spend + j.coupon AS DOUBLE) END AS roi,
    e.net / nullif(m.spend, 0) AS mer, nullif(m.spend, 0) / w.newcomers AS blended_cac, j.cac, payback_months, lifetime / j.cac AS ltv_to_cac,
    j.spend = 0 AND j.touches > 0 AND j.campaign_id NOT LIKE '(%' AS spend_missing, 'platform' AS spend_tz, 30 AS attribution_days,
    as_of() AS as_of, '3' AS definition_version
FROM joined j LEFT JOIN campaigns d ON d.campaign_id = j.campaign_id
LEFT JOIN paybacks p ON p.month = j.month AND p.cac = j.cac LEFT JOIN lifetimes l ON l.cohort = j.month
LEFT JOIN earnings e ON e.month = j.month LEFT JOIN spendings m ON m.month = j.month LEFT JOIN won w ON w.month = j.month
