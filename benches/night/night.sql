-- The night of `pipelines/nightly.yaml` as a DuckDB script: raw exports to clean tables, customers and marts.
--
-- A statement that begins with `-- table: NAME`, `-- view: NAME` or `-- mart: NAME` is a query with that name; the others are run
-- as they are. `-- step: NAME` begins a step, `{raw}` stands for the folder of the exports, and `-- python: NAME` for a
-- function of the program that runs this. The queries of marts are written to Parquet.

-- step: prepare
CREATE MACRO as_of() AS TIMESTAMPTZ '2026-01-31 00:00:00+08';

CREATE MACRO today() AS DATE '2026-01-31';

CREATE MACRO day_of(t) AS (t AT TIME ZONE 'Asia/Shanghai')::DATE;

CREATE MACRO txt(x) AS CASE WHEN trim(x) IN ('', '-', 'null', 'N/A') THEN NULL ELSE trim(x) END;

CREATE MACRO digits(x) AS regexp_replace(x, '[^0-9+]', '', 'g');

CREATE MACRO e164(x) AS CASE WHEN regexp_full_match(digits(x), '(\+86|0086|86)?1[3-9][0-9]{9}') THEN '+86' || right(digits(x), 11) END;

CREATE MACRO is_email(x) AS regexp_full_match(x, '[^@\s]+@[^@\s.]+(\.[^@\s.]+)+');

CREATE MACRO rfc3339(x) AS try_cast(x AS TIMESTAMPTZ);

CREATE MACRO wall(x) AS try_strptime(x, '%Y-%m-%d %H:%M:%S') AT TIME ZONE 'Asia/Shanghai';

CREATE MACRO unix_ms(x) AS make_timestamptz(try_cast(x AS BIGINT) * 1000);

CREATE MACRO money(x) AS try_cast(x AS DECIMAL(18, 4));

CREATE MACRO typed_money(x) AS try_cast(regexp_replace(x, '[¥￥, ]', '', 'g') AS DECIMAL(18, 4));

-- An identifier as a number; values that identify nobody have none.
CREATE MACRO node(kind, value) AS CASE WHEN value NOT IN ('anonymous', 'guest', 'undefined', 'unknown', '0', 'test@test.com',
    'noreply@example.com', '+8613800138000', 'LC00000000', '00000000-0000-0000-0000-000000000000') THEN hash(kind || ':' || value) END;

-- Exact division with rounding half away from zero: DuckDB itself divides decimals as doubles.
CREATE MACRO half_away(a, b) AS (sign(a) * sign(b) * ((2 * abs(a)::HUGEINT + abs(b)) // (2 * abs(b)::HUGEINT)))::HUGEINT;

CREATE MACRO per(a, n) AS (half_away((a * 10000)::HUGEINT, n::HUGEINT)::DECIMAL(30, 0) / 10000)::DECIMAL(18, 4);

-- step: clean
-- table: web_typed
SELECT * EXCLUDE (cart),
    coalesce(event_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL
    AND event_type IN ('page_view', 'product_view', 'add_to_cart', 'checkout') AND (email IS NULL OR is_email(email))
    AND (cart IS NULL OR cart_value >= 0), false) AS is_sound
FROM (
    SELECT txt(event_id) AS event_id, rfc3339(txt(ts)) AS occurred_at, rfc3339(txt(received_at)) AS received_at, txt(type) AS event_type,
        txt(session_id) AS session_id, lower(txt(cookie)) AS cookie_id, lower(txt(user_id)) AS user_id, lower(txt(email)) AS email,
        txt(url) AS url, upper(txt(sku)) AS sku, txt(order_id) AS order_id, lower(txt(utm.source)) AS utm_source,
        lower(txt(utm.medium)) AS utm_medium, lower(txt(utm.campaign)) AS utm_campaign, txt(referrer) AS referrer,
        lower(txt(device.type)) AS device_type, txt(device.os) AS device_os, txt(device.browser) AS browser, txt(cart_value) AS cart,
        money(cart) AS cart_value, filename AS _object
    FROM read_json('{raw}/web/dt=*/*.ndjson.gz', format = 'newline_delimited', ignore_errors = true, filename = true, hive_partitioning = false,
        columns = {event_id: 'VARCHAR', ts: 'VARCHAR', received_at: 'VARCHAR', type: 'VARCHAR', session_id: 'VARCHAR', cookie: 'VARCHAR',
            user_id: 'VARCHAR', email: 'VARCHAR', url: 'VARCHAR', sku: 'VARCHAR', order_id: 'VARCHAR',
            utm: 'STRUCT(source VARCHAR, medium VARCHAR, campaign VARCHAR)', referrer: 'VARCHAR',
            device: 'STRUCT(type VARCHAR, os VARCHAR, browser VARCHAR)', cart_value: 'VARCHAR'}));

-- table: app_typed
SELECT * EXCLUDE (written),
    coalesce(event_id IS NOT NULL AND session_id IS NOT NULL AND occurred_at IS NOT NULL
    AND event_type IN ('app_open', 'product_view', 'add_to_cart', 'checkout') AND (written IS NULL OR phone IS NOT NULL), false) AS is_sound
FROM (
    SELECT txt(event_id) AS event_id, unix_ms(txt(ts)) AS occurred_at, unix_ms(txt(received_at)) AS received_at, txt(type) AS event_type,
        txt(session_id) AS session_id, lower(txt(device.id)) AS device_id, lower(txt(user_id)) AS user_id, txt(phone) AS written,
        e164(written) AS phone, upper(txt(sku)) AS sku, txt(order_id) AS order_id, lower(txt(campaign_id)) AS campaign_id,
        txt(app.version) AS app_version, txt(device.os) AS device_os, filename AS _object
    FROM read_json('{raw}/app/dt=*/*.ndjson.gz', format = 'newline_delimited', ignore_errors = true, filename = true, hive_partitioning = false,
        columns = {event_id: 'VARCHAR', ts: 'VARCHAR', received_at: 'VARCHAR', type: 'VARCHAR', session_id: 'VARCHAR',
            device: 'STRUCT(id VARCHAR, os VARCHAR)', user_id: 'VARCHAR', phone: 'VARCHAR', sku: 'VARCHAR', order_id: 'VARCHAR',
            campaign_id: 'VARCHAR', app: 'STRUCT(version VARCHAR)'}));

-- table: orders_typed
SELECT * EXCLUDE (written, refund, discount, tax, shipping),
    coalesce(order_id IS NOT NULL AND placed_at IS NOT NULL AND updated_at IS NOT NULL AND channel IN ('web', 'app')
    AND status IN ('paid', 'shipped', 'cancelled', 'refunded', 'test') AND currency IN ('CNY', 'USD', 'EUR', 'HKD') AND items_amount >= 0
    AND discount_amount >= 0 AND tax_amount >= 0 AND shipping_amount >= 0 AND refund_amount >= 0 AND refund_amount <= items_amount
    AND (email IS NULL OR is_email(email)) AND (written IS NULL OR phone IS NOT NULL), false) AS is_sound
FROM (
    SELECT txt(order_id) AS order_id, rfc3339(txt(placed_at)) AS placed_at, rfc3339(txt(updated_at)) AS updated_at, txt(channel) AS channel,
        lower(txt(status)) AS status, upper(txt(currency)) AS currency, money(txt(items_amount)) AS items_amount,
        txt(discount_amount) AS discount, txt(tax_amount) AS tax, txt(shipping_amount) AS shipping, txt(refund_amount) AS refund,
        money(coalesce(discount, '0')) AS discount_amount, money(coalesce(tax, '0')) AS tax_amount,
        money(coalesce(shipping, '0')) AS shipping_amount, money(coalesce(refund, '0')) AS refund_amount,
        rfc3339(txt(refunded_at)) AS refunded_at, lower(txt(user_id)) AS user_id, lower(txt(email)) AS email, txt(phone) AS written,
        e164(written) AS phone, lower(txt(cookie)) AS cookie_id, lower(txt(device_id)) AS device_id, txt(coupon.code) AS coupon_code,
        lower(txt(coupon.campaign_id)) AS coupon_campaign_id, txt(city) AS city, filename AS _object
    FROM read_json('{raw}/orders/dt=*/*.ndjson.gz', format = 'newline_delimited', ignore_errors = true, filename = true, hive_partitioning = false,
        columns = {order_id: 'VARCHAR', placed_at: 'VARCHAR', updated_at: 'VARCHAR', channel: 'VARCHAR', status: 'VARCHAR', currency: 'VARCHAR',
            items_amount: 'VARCHAR', discount_amount: 'VARCHAR', tax_amount: 'VARCHAR', shipping_amount: 'VARCHAR', refund_amount: 'VARCHAR',
            refunded_at: 'VARCHAR', user_id: 'VARCHAR', email: 'VARCHAR', phone: 'VARCHAR', cookie: 'VARCHAR', device_id: 'VARCHAR',
            coupon: 'STRUCT(code VARCHAR, campaign_id VARCHAR)', city: 'VARCHAR'}));

-- table: online_order_lines
SELECT * FROM (
    SELECT nullif(trim(order_id), '') AS order_id, try_cast(line_no AS BIGINT) AS line_no, rfc3339(placed_at) AS placed_at,
        upper(nullif(trim(sku), '')) AS sku, try_cast(quantity AS BIGINT) AS quantity, money(unit_price) AS unit_price, filename AS _object
    FROM read_json('{raw}/order_lines/dt=*/*.ndjson.gz', format = 'newline_delimited', ignore_errors = true, filename = true,
        hive_partitioning = false, columns = {order_id: 'VARCHAR', line_no: 'VARCHAR', placed_at: 'VARCHAR', sku: 'VARCHAR',
            quantity: 'VARCHAR', unit_price: 'VARCHAR'}))
WHERE order_id IS NOT NULL AND line_no >= 1 AND placed_at IS NOT NULL AND sku IS NOT NULL AND quantity > 0 AND unit_price >= 0
QUALIFY row_number() OVER (PARTITION BY order_id, line_no ORDER BY placed_at DESC, _object DESC) = 1;

-- table: store_typed
SELECT * EXCLUDE (written, reduction),
    coalesce(receipt_id IS NOT NULL AND line_no >= 1 AND store_id IS NOT NULL AND sold_at IS NOT NULL AND kind IN ('sale', 'return')
    AND sku IS NOT NULL AND quantity <> 0 AND unit_price >= 0 AND discount IS NOT NULL
    AND ((kind = 'sale' AND amount >= 0) OR (kind = 'return' AND amount <= 0)) AND (written IS NULL OR phone IS NOT NULL), false) AS is_sound
FROM (
    SELECT txt(receipt_id) AS receipt_id, try_cast(txt(line_no) AS BIGINT) AS line_no, txt(store_id) AS store_id,
        try_strptime(txt(sold_at), '%d/%m/%Y %H:%M') AT TIME ZONE 'Asia/Shanghai' AS sold_at, lower(txt(kind)) AS kind,
        txt(original_receipt_id) AS original_receipt_id, upper(txt(loyalty_card)) AS loyalty_card, txt(phone) AS written,
        e164(written) AS phone, upper(txt(sku)) AS sku, try_cast(txt(quantity) AS BIGINT) AS quantity,
        typed_money(txt(unit_price)) AS unit_price, txt(discount) AS reduction, typed_money(coalesce(reduction, '0')) AS discount,
        typed_money(txt(amount)) AS amount, filename AS _object
    FROM read_csv('{raw}/store/dt=*/*.csv', header = true, all_varchar = true, ignore_errors = true, filename = true,
        hive_partitioning = false, auto_detect = false, delim = ',', quote = '"', columns = {'receipt_id': 'VARCHAR', 'line_no': 'VARCHAR',
            'store_id': 'VARCHAR', 'sold_at': 'VARCHAR', 'kind': 'VARCHAR', 'original_receipt_id': 'VARCHAR', 'loyalty_card': 'VARCHAR',
            'phone': 'VARCHAR', 'sku': 'VARCHAR', 'quantity': 'VARCHAR', 'unit_price': 'VARCHAR', 'discount': 'VARCHAR', 'amount': 'VARCHAR'}));

-- table: sends_typed
SELECT *,
    coalesce(send_id IS NOT NULL AND campaign_id IS NOT NULL AND channel IN ('email', 'sms', 'push') AND assigned_group IN ('treatment', 'control')
    AND assigned_at IS NOT NULL AND updated_at IS NOT NULL AND (email IS NULL OR is_email(email)), false) AS is_sound
FROM (
    SELECT txt(send_id) AS send_id, lower(txt(campaign_id)) AS campaign_id, lower(txt(channel)) AS channel, lower(txt(user_id)) AS user_id,
        lower(txt(email)) AS email, lower(txt("group")) AS assigned_group, rfc3339(txt(assigned_at)) AS assigned_at,
        rfc3339(txt(sent_at)) AS sent_at, rfc3339(txt(opened_at)) AS opened_at, rfc3339(txt(clicked_at)) AS clicked_at,
        rfc3339(txt(updated_at)) AS updated_at, filename AS _object
    FROM read_json('{raw}/sends/dt=*/*.ndjson.gz', format = 'newline_delimited', ignore_errors = true, filename = true, hive_partitioning = false,
        columns = {send_id: 'VARCHAR', campaign_id: 'VARCHAR', channel: 'VARCHAR', user_id: 'VARCHAR', email: 'VARCHAR', "group": 'VARCHAR',
            assigned_at: 'VARCHAR', sent_at: 'VARCHAR', opened_at: 'VARCHAR', clicked_at: 'VARCHAR', updated_at: 'VARCHAR'}));

-- table: crm_typed
SELECT * EXCLUDE (written, born),
    coalesce(user_id IS NOT NULL AND (email IS NULL OR is_email(email)) AND (second_email IS NULL OR is_email(second_email))
    AND (written IS NULL OR phone IS NOT NULL) AND (born IS NULL OR birthday IS NOT NULL) AND (gender IS NULL OR gender IN ('f', 'm', 'x'))
    AND created_at IS NOT NULL AND updated_at IS NOT NULL, false) AS is_sound
FROM (
    SELECT lower(txt(user_id)) AS user_id, txt(name) AS name, lower(txt(email)) AS email, lower(txt(second_email)) AS second_email,
        txt(phone) AS written, e164(written) AS phone, upper(txt(loyalty_card)) AS loyalty_card, txt(birthday) AS born,
        try_strptime(born, ['%Y-%m-%d', '%Y/%m/%d'])::DATE AS birthday, lower(txt(gender)) AS gender, txt(city) AS city,
        coalesce(try_cast(txt(consent_email) AS BOOLEAN), false) AS consent_email,
        coalesce(try_cast(txt(consent_sms) AS BOOLEAN), false) AS consent_sms, wall(txt(created_at)) AS created_at,
        wall(txt(updated_at)) AS updated_at, filename AS _object
    FROM read_csv('{raw}/crm/dt=*/*.csv', header = true, all_varchar = true, ignore_errors = true, filename = true,
        hive_partitioning = false, auto_detect = false, delim = ',', quote = '"', columns = {'user_id': 'VARCHAR', 'name': 'VARCHAR',
            'email': 'VARCHAR', 'second_email': 'VARCHAR', 'phone': 'VARCHAR', 'loyalty_card': 'VARCHAR', 'birthday': 'VARCHAR',
            'gender': 'VARCHAR', 'city': 'VARCHAR', 'consent_email': 'VARCHAR', 'consent_sms': 'VARCHAR', 'created_at': 'VARCHAR',
            'updated_at': 'VARCHAR'}));

-- table: campaigns
SELECT lower(trim(campaign_id)) AS campaign_id, trim(name) AS name, lower(trim(channel)) AS channel, try_cast(start_date AS DATE) AS start_date,
    try_cast(end_date AS DATE) AS end_date, money(budget) AS budget, wall(updated_at) AS updated_at
FROM read_csv('{raw}/campaigns/dt=*/*.csv', header = true, all_varchar = true, filename = true, hive_partitioning = false)
QUALIFY row_number() OVER (PARTITION BY lower(trim(campaign_id)) ORDER BY wall(updated_at) DESC, filename DESC) = 1;

-- table: campaign_costs
SELECT * FROM (
    SELECT try_cast(txt(date) AS DATE) AS cost_date, lower(txt(campaign_id)) AS campaign_id, lower(txt(channel)) AS channel,
        upper(txt(currency)) AS currency, typed_money(txt(cost)) AS cost, try_cast(txt(impressions) AS BIGINT) AS impressions,
        try_cast(txt(clicks) AS BIGINT) AS clicks, try_cast(txt(platform_conversions) AS BIGINT) AS platform_conversions,
        wall(txt(reported_at)) AS reported_at, filename AS _object
    FROM read_csv('{raw}/campaign_costs/dt=*/*.csv', header = true, all_varchar = true, ignore_errors = true, filename = true,
        hive_partitioning = false, auto_detect = false, delim = ',', quote = '"', columns = {'date': 'VARCHAR', 'campaign_id': 'VARCHAR',
            'channel': 'VARCHAR', 'currency': 'VARCHAR', 'cost': 'VARCHAR', 'impressions': 'VARCHAR', 'clicks': 'VARCHAR',
            'platform_conversions': 'VARCHAR', 'reported_at': 'VARCHAR'}))
WHERE cost_date IS NOT NULL AND campaign_id IS NOT NULL AND channel IS NOT NULL AND currency IN ('CNY', 'USD', 'EUR', 'HKD') AND cost >= 0
    AND reported_at IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY cost_date, campaign_id ORDER BY reported_at DESC, _object DESC) = 1;

-- table: products
SELECT upper(trim(sku)) AS sku, trim(name) AS name, trim(category) AS category, money(unit_cost) AS unit_cost, money(price) AS price,
    wall(updated_at) AS updated_at
FROM read_csv('{raw}/products/dt=*/*.csv', header = true, all_varchar = true, filename = true, hive_partitioning = false)
QUALIFY row_number() OVER (PARTITION BY upper(trim(sku)) ORDER BY wall(updated_at) DESC, filename DESC) = 1;

-- table: exchange_rates
SELECT try_cast(date AS DATE) AS rate_date, upper(currency) AS currency, try_cast(rate AS DECIMAL(18, 8)) AS rate
FROM read_csv('{raw}/exchange_rates/dt=*/*.csv', header = true, all_varchar = true, filename = true, hive_partitioning = false)
QUALIFY row_number() OVER (PARTITION BY rate_date, upper(currency) ORDER BY filename DESC) = 1;

-- step: identity
-- Which identifiers were seen together, and since when; every row counts, also those that lose to a newer copy.
-- table: seen_together
SELECT node('user_id', user_id) AS u, node('email', email) AS e, node('phone', phone) AS p, node('loyalty_card', loyalty_card) AS l,
    node('device', device_id) AS d, node('cookie', cookie_id) AS c, user_id, email, phone, loyalty_card, device_id, cookie_id, moment
FROM (
    SELECT cookie_id, user_id, email, min(occurred_at) AS moment FROM web_typed WHERE is_sound GROUP BY ALL
    UNION ALL BY NAME SELECT device_id, user_id, phone, min(occurred_at) AS moment FROM app_typed WHERE is_sound GROUP BY ALL
    UNION ALL BY NAME SELECT user_id, email, phone, cookie_id, device_id, min(placed_at) AS moment FROM orders_typed WHERE is_sound GROUP BY ALL
    UNION ALL BY NAME SELECT loyalty_card, phone, min(sold_at) AS moment FROM store_typed WHERE is_sound GROUP BY ALL
    UNION ALL BY NAME SELECT user_id, email, min(assigned_at) AS moment FROM sends_typed WHERE is_sound GROUP BY ALL
    UNION ALL BY NAME SELECT user_id, email, phone, loyalty_card, min(created_at) AS moment FROM crm_typed WHERE is_sound GROUP BY ALL);

-- table: identifiers
SELECT node, any_value(value) AS value, min(moment) AS first_seen
FROM (
    SELECT u AS node, 'user_id:' || user_id AS value, moment FROM seen_together WHERE u IS NOT NULL
    UNION ALL SELECT e, 'email:' || email, moment FROM seen_together WHERE e IS NOT NULL
    UNION ALL SELECT p, 'phone:' || phone, moment FROM seen_together WHERE p IS NOT NULL
    UNION ALL SELECT l, 'loyalty_card:' || loyalty_card, moment FROM seen_together WHERE l IS NOT NULL
    UNION ALL SELECT d, 'device:' || device_id, moment FROM seen_together WHERE d IS NOT NULL
    UNION ALL SELECT c, 'cookie:' || cookie_id, moment FROM seen_together WHERE c IS NOT NULL)
GROUP BY node;

-- The strong identifiers of a row are one customer: each is linked to the strongest.
-- table: strong_links
SELECT DISTINCT a, b FROM (
    SELECT coalesce(u, e, p, l) AS a, unnest([e, p, l]) AS b FROM seen_together)
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

-- Identifiers that nothing links are customers of their own.
-- table: identity_map
SELECT node, value, coalesce(label, node) AS customer_id, first_seen
FROM identifiers
LEFT JOIN (FROM strong_labels UNION ALL SELECT id, label FROM device_labels UNION ALL FROM cookie_labels) ON id = node;

-- step: dedupe
-- The newest copy of each row, with the customer of its strongest identifier. Few events come twice, and only those are put in order.
-- table: web_events
SELECT w.* EXCLUDE (is_sound), customer_id
FROM web_typed w ANTI JOIN (
    SELECT rowid AS older FROM web_typed
    WHERE is_sound AND event_id IN (SELECT event_id FROM web_typed WHERE is_sound GROUP BY event_id HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at DESC NULLS LAST, _object DESC) > 1) ON older = w.rowid
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('email', email), node('cookie', cookie_id))
WHERE is_sound;

DROP TABLE web_typed;

-- table: app_events
SELECT a.* EXCLUDE (is_sound), customer_id
FROM app_typed a ANTI JOIN (
    SELECT rowid AS older FROM app_typed
    WHERE is_sound AND event_id IN (SELECT event_id FROM app_typed WHERE is_sound GROUP BY event_id HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at DESC NULLS LAST, _object DESC) > 1) ON older = a.rowid
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('phone', phone), node('device', device_id))
WHERE is_sound;

DROP TABLE app_typed;

-- table: online_orders
SELECT o.*, customer_id
FROM (
    SELECT * EXCLUDE (is_sound) FROM orders_typed WHERE is_sound
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC, _object DESC) = 1) o
LEFT JOIN identity_map
ON node = coalesce(node('user_id', user_id), node('email', email), node('phone', phone), node('device', device_id), node('cookie', cookie_id));

-- table: store_sales
SELECT s.*, customer_id
FROM (
    SELECT * EXCLUDE (is_sound) FROM store_typed WHERE is_sound
    QUALIFY row_number() OVER (PARTITION BY receipt_id, line_no ORDER BY sold_at DESC, _object DESC) = 1) s
LEFT JOIN identity_map ON node = coalesce(node('phone', phone), node('loyalty_card', loyalty_card));

-- table: campaign_sends
SELECT s.*, customer_id
FROM (
    SELECT * EXCLUDE (is_sound) FROM sends_typed WHERE is_sound
    QUALIFY row_number() OVER (PARTITION BY send_id ORDER BY updated_at DESC, _object DESC) = 1) s
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('email', email));

-- table: crm_customers
SELECT c.*, customer_id
FROM (
    SELECT * EXCLUDE (is_sound) FROM crm_typed WHERE is_sound
    QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY updated_at DESC, _object DESC) = 1) c
LEFT JOIN identity_map ON node = coalesce(node('user_id', user_id), node('email', email), node('phone', phone), node('loyalty_card', loyalty_card));

DROP TABLE orders_typed;

DROP TABLE store_typed;

DROP TABLE sends_typed;

DROP TABLE crm_typed;

-- step: facts
-- Products of two decimals of at most 18 digits have 18 digits in DuckDB; a wider factor makes them wider.
-- view: rates
SELECT rate_date, currency, rate::DECIMAL(24, 8) AS rate FROM exchange_rates;

-- table: web_app
WITH sums AS (
    SELECT order_id, sum(quantity * unit_price) AS items, sum(quantity * unit_cost) AS cost, bool_and(unit_cost IS NOT NULL) AS costed
    FROM online_order_lines LEFT JOIN products USING (sku) GROUP BY order_id
), known AS (
    SELECT o.*, r.rate, s.items AS lines_items, s.cost, s.costed,
        CASE WHEN refunded_at >= as_of() THEN 0
             WHEN status = 'refunded' THEN greatest(refund_amount, items_amount - discount_amount)
             ELSE refund_amount END::DECIMAL(18, 4) AS refund
    FROM online_orders o
    LEFT JOIN sums s USING (order_id)
    LEFT JOIN rates r ON r.currency = o.currency AND r.rate_date = day_of(o.placed_at)
    WHERE o.placed_at < as_of()
), kept AS (
    SELECT *, CASE WHEN paid > 0 THEN (half_away(left_over * 1000000000000, paid)::DECIMAL(30, 0) / 1000000000000)::DECIMAL(18, 12)
        ELSE 1 END::DECIMAL(20, 12) AS kept_share
    FROM (
        SELECT *, greatest(((items_amount - discount_amount - refund) * 10000)::BIGINT, 0)::HUGEINT AS left_over,
            ((items_amount - discount_amount) * 10000)::BIGINT::HUGEINT AS paid
        FROM known)
)
SELECT order_id, customer_id, placed_at AS ordered_at, channel,
    (items_amount * rate)::DECIMAL(18, 4) AS gross_value, (discount_amount * rate)::DECIMAL(18, 4) AS discount_value,
    (refund * rate)::DECIMAL(18, 4) AS refund_value, (tax_amount * rate)::DECIMAL(18, 4) AS tax_value,
    (shipping_amount * rate)::DECIMAL(18, 4) AS shipping_value, rate,
    CASE WHEN refund > 0 THEN day_of(coalesce(refunded_at, placed_at)) END AS refunded_on,
    lines_items = items_amount AS is_whole,
    CASE WHEN is_whole AND costed THEN (cost::DECIMAL(18, 4) * kept_share)::DECIMAL(18, 4) END AS cost_value,
    coupon_campaign_id,
    CASE WHEN coupon_campaign_id IS NULL THEN 0
         ELSE ((discount_amount * rate)::DECIMAL(18, 4) * kept_share)::DECIMAL(18, 4) END::DECIMAL(18, 4) AS coupon_value,
    CASE WHEN status = 'test' THEN 'test' WHEN status = 'cancelled' THEN 'cancelled'
         WHEN customer_id IS NULL THEN 'unresolved' ELSE 'eligible' END AS eligibility
FROM kept;

-- table: receipts
SELECT s.receipt_id, min(customer_id) AS customer_id, min(sold_at) AS sold_at, min(original_receipt_id) AS original,
    bool_or(kind = 'sale') AS is_sale,
    sum(CASE WHEN kind = 'sale' THEN quantity * unit_price ELSE 0 END)::DECIMAL(18, 4) AS gross,
    sum(CASE WHEN kind = 'sale' THEN amount ELSE 0 END)::DECIMAL(18, 4) AS sold,
    sum(CASE WHEN kind = 'return' THEN -amount ELSE 0 END)::DECIMAL(18, 4) AS returned,
    CASE WHEN bool_and(unit_cost IS NOT NULL) THEN sum(quantity * unit_cost)::DECIMAL(18, 4) END AS cost
FROM store_sales s LEFT JOIN products p USING (sku)
WHERE sold_at < as_of()
GROUP BY s.receipt_id;

-- view: store_orders
WITH back AS (
    SELECT original, sum(returned) AS returned, max(sold_at) AS moment,
        CASE WHEN bool_and(cost IS NOT NULL) THEN sum(cost) END AS cost
    FROM receipts WHERE NOT is_sale AND original IS NOT NULL GROUP BY original
)
SELECT r.receipt_id AS order_id, customer_id, sold_at AS ordered_at, 'store' AS channel, gross AS gross_value,
    (gross - sold)::DECIMAL(18, 4) AS discount_value, (r.returned + coalesce(b.returned, 0))::DECIMAL(18, 4) AS refund_value,
    0 AS tax_value, 0 AS shipping_value, 1 AS rate,
    CASE WHEN r.returned > 0 THEN greatest(day_of(sold_at), coalesce(day_of(b.moment), day_of(sold_at))) ELSE day_of(b.moment) END AS refunded_on,
    CASE WHEN b.original IS NULL THEN r.cost ELSE r.cost + b.cost END::DECIMAL(18, 4) AS cost_value,
    NULL AS coupon_campaign_id, 0 AS coupon_value,
    CASE WHEN NOT is_sale THEN 'return_without_sale' WHEN customer_id IS NULL THEN 'unresolved' ELSE 'eligible' END AS eligibility
FROM receipts r LEFT JOIN back b ON b.original = r.receipt_id AND r.is_sale
WHERE is_sale OR coalesce(r.original, '') NOT IN (SELECT receipt_id FROM receipts WHERE is_sale);

-- table: orders
SELECT *, day_of(ordered_at) AS order_date, (gross_value - discount_value)::DECIMAL(18, 4) AS sale_value,
    (gross_value - discount_value - refund_value)::DECIMAL(18, 4) AS net_value, eligibility = 'eligible' AS is_eligible
FROM (FROM web_app UNION ALL BY NAME FROM store_orders);

-- table: eligible
SELECT *, row_number() OVER w AS n, date_trunc('month', order_date)::DATE AS month
FROM orders WHERE is_eligible
WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at, order_id);

-- mart: fact_orders
SELECT o.order_id, o.customer_id, o.ordered_at, o.order_date, o.channel, o.gross_value, o.discount_value, o.refund_value,
    o.tax_value, o.shipping_value, o.net_value, o.sale_value, o.refunded_on, o.cost_value, o.coupon_campaign_id, o.coupon_value,
    o.is_eligible, o.eligibility, coalesce(e.n = 1, false) AS is_first_order, as_of() AS as_of, '2' AS definition_version
FROM orders o LEFT JOIN eligible e USING (order_id);

-- table: lines
SELECT order_id, line_no AS line_number, sku AS product_id, category, quantity,
    (quantity * unit_price * rate)::DECIMAL(18, 4) AS gross_value, CASE WHEN is_whole THEN (quantity * unit_cost)::DECIMAL(18, 4) END AS cost_value
FROM online_order_lines LEFT JOIN products USING (sku) JOIN web_app USING (order_id)
UNION ALL
SELECT receipt_id, line_no, sku, category, quantity, (quantity * s.unit_price)::DECIMAL(18, 4), (quantity * unit_cost)::DECIMAL(18, 4)
FROM store_sales s LEFT JOIN products p USING (sku)
WHERE kind = 'sale' AND receipt_id IN (SELECT receipt_id FROM receipts WHERE is_sale);

-- mart: fact_order_lines
SELECT *, as_of() AS as_of, '3' AS definition_version FROM lines;

-- mart: dim_products
SELECT sku AS product_id, name AS product_name, category, unit_cost AS unit_cost_value, price AS unit_price_value,
    as_of() AS as_of, '2' AS definition_version FROM products;

-- mart: dim_campaigns
SELECT campaign_id, name AS campaign_name, channel, true AS is_acquisition, start_date, end_date, budget AS budget_value, as_of() AS as_of,
    '2' AS definition_version FROM campaigns;

-- table: web_visits
SELECT session_id, customer_id, arg_min({e: event_id, r: referrer}, {t: occurred_at, e: event_id}) AS first,
    min(occurred_at) AS moment, max(occurred_at) AS until,
    arg_min({c: utm_campaign, m: utm_medium}, {a: utm_campaign IS NULL, b: utm_medium IS NULL, t: occurred_at, e: event_id}) AS link
FROM web_events WHERE customer_id IS NOT NULL AND occurred_at < as_of() GROUP BY session_id, customer_id;

-- table: app_visits
SELECT session_id, customer_id, arg_min(event_id, {t: occurred_at, e: event_id}) AS event_id, min(occurred_at) AS moment, max(occurred_at) AS until,
    arg_min(campaign_id, {t: occurred_at, e: event_id}) AS campaign_id
FROM app_events WHERE customer_id IS NOT NULL AND occurred_at < as_of() GROUP BY session_id, customer_id;

-- table: touches
WITH treated AS (
    FROM campaign_sends WHERE customer_id IS NOT NULL AND assigned_group = 'treatment'
), happened AS (
    SELECT 'sent:' || send_id AS touch_id, customer_id, sent_at AS touched_at, 'message_sent' AS touch_type, channel, campaign_id, NULL AS session_id,
        1 AS source_order
    FROM treated WHERE sent_at < as_of()
    UNION ALL
    SELECT 'clicked:' || send_id, customer_id, clicked_at, 'message_clicked', channel, campaign_id, NULL, 2 FROM treated WHERE clicked_at < as_of()
    UNION ALL
    SELECT 'web:' || first.e, customer_id, moment, 'web_session',
        CASE WHEN link.m IN ('cpc', 'ppc') THEN 'paid_search' WHEN link.m IS NOT NULL THEN link.m
             WHEN regexp_matches(first.r, '//([^/]*\.)?(baidu|bing|google|search|sogou)\.') THEN 'organic_search'
             WHEN first.r IS NOT NULL THEN 'referral' ELSE 'direct' END, link.c, session_id, 3
    FROM web_visits
    UNION ALL
    SELECT 'app:' || event_id, customer_id, moment, 'app_session', 'app', campaign_id, session_id, 4 FROM app_visits
)
SELECT touch_id, customer_id, touched_at, day_of(touched_at) AS touch_date, touch_type, coalesce(k.channel, h.channel) AS channel,
    campaign_id, session_id, source_order
FROM happened h LEFT JOIN campaigns k USING (campaign_id);

-- mart: fact_touches
SELECT *, as_of() AS as_of, '2' AS definition_version FROM touches;

-- table: known
SELECT DISTINCT customer_id FROM (
    SELECT customer_id, created_at AS moment FROM crm_customers UNION ALL SELECT customer_id, assigned_at FROM campaign_sends
    UNION ALL SELECT customer_id, placed_at FROM online_orders UNION ALL SELECT customer_id, sold_at FROM store_sales)
WHERE customer_id IS NOT NULL AND moment < as_of();

-- table: first_seen
SELECT customer_id, min(first_seen) AS moment FROM identity_map GROUP BY customer_id;

-- mart: dim_customers
WITH profile AS (
    FROM crm_customers WHERE customer_id IS NOT NULL AND created_at < as_of()
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY updated_at DESC, user_id) = 1
), seen AS (
    SELECT customer_id, max(moment) AS moment FROM (
        SELECT customer_id, until AS moment FROM web_visits UNION ALL SELECT customer_id, until FROM app_visits
        UNION ALL SELECT customer_id, ordered_at FROM web_app UNION ALL SELECT customer_id, sold_at FROM receipts)
    WHERE customer_id IS NOT NULL GROUP BY customer_id
)
SELECT k.customer_id, f.moment AS first_seen_at, s.moment AS last_seen_at, p.user_id, p.created_at AS registered_at,
    year(p.birthday) AS birth_year, p.gender, p.city, coalesce(p.consent_email, false) AS consent_email,
    coalesce(p.consent_sms, false) AS consent_sms, as_of() AS as_of, '2' AS definition_version
FROM known k LEFT JOIN first_seen f USING (customer_id) LEFT JOIN seen s USING (customer_id) LEFT JOIN profile p USING (customer_id);

-- Each return to a store is booked on its own day, and what an online order was refunded on the day of the last refund.
-- mart: fact_cash_movements
SELECT order_id, customer_id, 'sale' AS movement, order_date AS booked_on, sale_value AS value, as_of() AS as_of, '3' AS definition_version FROM eligible
UNION ALL
SELECT order_id, customer_id, 'refund', refunded_on, -refund_value, as_of(), '3' FROM eligible WHERE refund_value <> 0 AND channel <> 'store'
UNION ALL
SELECT e.order_id, e.customer_id, 'refund', day_of(r.sold_at) AS day, -sum(returned), as_of(), '3'
FROM receipts r JOIN eligible e ON e.channel = 'store' AND e.order_id = CASE WHEN r.is_sale THEN r.receipt_id ELSE r.original END
WHERE returned <> 0 GROUP BY e.order_id, e.customer_id, day;

-- step: rfm
-- table: nights
FROM (VALUES ('now', today()), ('then', today() - 30)) AS t (night, day);

-- table: buyers
SELECT night, day, customer_id, max(order_date) AS last_day, day - 1 - max(order_date) AS recency,
    count(*) FILTER (order_date >= day - 365) AS frequency,
    coalesce(sum(net_value) FILTER (order_date >= day - 365), 0)::DECIMAL(18, 4) AS monetary
FROM eligible CROSS JOIN nights WHERE order_date < day GROUP BY night, day, customer_id;

-- A score is one and five times the share of customers who are worse, in whole numbers.
-- table: scored
SELECT night, customer_id, last_day, recency, frequency, monetary, least(5, 1 + 5 * (rank() OVER by_r - 1) // count(*) OVER everybody) AS r,
    least(5, 1 + 5 * (rank() OVER by_f - 1) // count(*) OVER everybody) AS f,
    least(5, 1 + 5 * (rank() OVER by_m - 1) // count(*) OVER everybody) AS raw_m,
    CASE WHEN count(*) OVER everybody < 25 OR min(recency) OVER everybody = max(recency) OVER everybody
            OR min(frequency) OVER everybody = max(frequency) OVER everybody OR min(monetary) OVER everybody = max(monetary) OVER everybody
         THEN 'degenerate' ELSE 'ok' END AS quality
FROM buyers
WINDOW everybody AS (PARTITION BY night), by_r AS (PARTITION BY night ORDER BY recency DESC),
    by_f AS (PARTITION BY night ORDER BY frequency), by_m AS (PARTITION BY night ORDER BY monetary);

-- table: segmented
SELECT *, (f + m + 1) // 2 AS fm,
    [['Hibernating', 'Hibernating', 'At risk', 'At risk', 'Can''t lose them'],
     ['Hibernating', 'Hibernating', 'At risk', 'At risk', 'Can''t lose them'],
     ['About to sleep', 'About to sleep', 'Need attention', 'Loyal', 'Loyal'],
     ['Promising', 'Potential loyalist', 'Potential loyalist', 'Loyal', 'Loyal'],
     ['New', 'Potential loyalist', 'Potential loyalist', 'Champions', 'Champions']][r][(f + m + 1) // 2] AS segment
FROM (SELECT *, CASE WHEN monetary <= 0 THEN 1 ELSE raw_m END AS m FROM scored);

-- table: rfm
SELECT k.customer_id, n.last_day AS last_order_date, n.recency AS recency_days, coalesce(n.frequency, 0) > 0 AS in_window,
    coalesce(n.frequency, 0) AS frequency, coalesce(n.monetary, 0)::DECIMAL(18, 4) AS monetary_total,
    CASE WHEN n.frequency > 0 THEN per(n.monetary, n.frequency) END AS aov, n.r AS r_score, n.f AS f_score, n.m AS m_score,
    n.fm AS fm_score, coalesce(n.segment, 'Prospects') AS segment,
    coalesce(t.segment, CASE WHEN day_of(s.moment) < today() - 30 THEN 'Prospects' END) AS previous_segment,
    today() - 30 AS previous_as_of_date, coalesce(n.frequency > 0 AND n.monetary <= 0, false) AS net_nonpositive,
    n.quality AS score_quality, 'quantile' AS score_mode, 365 AS window_days, as_of() AS as_of, '2' AS definition_version
FROM known k LEFT JOIN first_seen s USING (customer_id)
LEFT JOIN segmented n ON n.customer_id = k.customer_id AND n.night = 'now'
LEFT JOIN segmented t ON t.customer_id = k.customer_id AND t.night = 'then';

-- mart: fact_rfm_segments
FROM rfm;

-- mart: rfm_cutpoints
SELECT dimension, score, cutpoint::DECIMAL(18, 4) AS cutpoint, today() AS valid_from, today() AS valid_to, 'quantile' AS score_mode,
    as_of() AS as_of, '2' AS definition_version
FROM (
    SELECT 'recency' AS dimension, score, max(recency) AS cutpoint FROM scored CROSS JOIN range(2, 6) t(score) WHERE night = 'now' AND r >= score GROUP BY score
    UNION ALL SELECT 'frequency', score, min(frequency) FROM scored CROSS JOIN range(2, 6) t(score) WHERE night = 'now' AND f >= score GROUP BY score
    UNION ALL SELECT 'monetary', score, min(monetary) FROM scored CROSS JOIN range(2, 6) t(score) WHERE night = 'now' AND raw_m >= score GROUP BY score);

-- mart: rfm_migration
SELECT coalesce(previous_segment, '(not known yet)') AS previous_segment, segment, count(*) AS customers, sum(monetary_total) AS net_value,
    today() - 30 AS previous_as_of_date, as_of() AS as_of, '2' AS definition_version
FROM rfm GROUP BY 1, 2;

-- table: matrix
WITH axes AS (SELECT night, customer_id, frequency, monetary, per(monetary, frequency) AS aov FROM buyers WHERE frequency > 0),
means AS (
    SELECT night, (half_away(sum(frequency)::HUGEINT * 100000000, count(*)) / 100000000::DECIMAL(30, 0))::DECIMAL(24, 8) AS f,
        (half_away((sum(aov) * 10000)::HUGEINT * 10000, count(*)) / 100000000::DECIMAL(30, 0))::DECIMAL(24, 8) AS a
    FROM axes GROUP BY night)
SELECT axes.*, means.f, means.a,
    ['uncertain', 'frequent', 'spender', 'best'][1 + (frequency > means.f)::INT + 2 * (aov > means.a)::INT] AS quadrant
FROM axes JOIN means USING (night);

-- mart: fact_value_matrix
SELECT n.customer_id, n.frequency, n.monetary AS monetary_total, n.aov, n.quadrant, t.quadrant AS previous_quadrant,
    MAP {'best': 'keep', 'spender': 'raise frequency', 'frequent': 'raise order value by cross-selling',
         'uncertain': 'find out what they want'}[n.quadrant] AS goal,
    'mean' AS threshold_rule, n.f AS frequency_threshold, n.a AS aov_threshold, 365 AS window_days, as_of() AS as_of, '2' AS definition_version
FROM matrix n LEFT JOIN matrix t ON t.customer_id = n.customer_id AND t.night = 'then' WHERE n.night = 'now';

-- mart: value_matrix_migration
SELECT coalesce(t.quadrant, '(no order)') AS previous_quadrant, coalesce(n.quadrant, '(no order)') AS quadrant, count(*) AS customers,
    coalesce(sum(n.monetary), 0) AS net_value, today() - 30 AS previous_as_of_date, as_of() AS as_of, '2' AS definition_version
FROM (FROM matrix WHERE night = 'now') n FULL JOIN (FROM matrix WHERE night = 'then') t USING (customer_id) GROUP BY 1, 2;

-- step: churn
-- A spell begins with a day of orders and lasts until the next one.
-- table: spells
SELECT customer_id, order_date AS day, lag(order_date) OVER w AS before, lead(order_date) OVER w AS next,
    min(order_date) OVER (PARTITION BY customer_id) AS first_day
FROM (SELECT DISTINCT customer_id, order_date FROM eligible) WINDOW w AS (PARTITION BY customer_id ORDER BY order_date);

-- table: states
SELECT customer_id, unnest([
        {day: day, state: CASE WHEN before IS NULL THEN 'new' WHEN day - before > 90 THEN 'reactivated' ELSE 'active' END},
        {day: CASE WHEN coalesce(next, today()) > day + 45 THEN day + 45 END, state: 'at_risk'},
        {day: CASE WHEN coalesce(next, today()) > day + 90 THEN day + 90 END, state: 'churned'}], recursive := true),
    day AS last_day
FROM spells;

-- table: cohorts
SELECT customer_id, date_trunc('month', min(order_date))::DATE AS cohort, min(order_date) AS first_day FROM eligible GROUP BY customer_id;

-- table: months
SELECT m::DATE AS month, (m + INTERVAL 1 MONTH)::DATE AS until, (m + INTERVAL 1 MONTH)::DATE <= today() AS done
FROM (SELECT unnest(generate_series((SELECT min(month) FROM eligible)::TIMESTAMP, (today() - 1)::TIMESTAMP, INTERVAL 1 MONTH)) AS m);

-- By customer and month: was there at the beginning, churned, came back, was there at the end.
-- table: presence
WITH churned AS (
    SELECT customer_id, date_trunc('month', day)::DATE AS month, count(*) AS churns FROM states WHERE state = 'churned' AND day IS NOT NULL GROUP BY ALL
), returned AS (
    SELECT customer_id, date_trunc('month', day)::DATE AS month, count(*) AS returns FROM spells WHERE day - before > 90 GROUP BY ALL
), last_orders AS (
    -- The last day of orders before the month begins, and before the next one does.
    SELECT c.customer_id, m.month, max(s.day) FILTER (s.day < m.month) AS before, max(s.day) FILTER (s.day < m.until) AS within,
        max(s.day) AS ever
    FROM cohorts c JOIN months m ON m.month >= c.cohort JOIN spells s ON s.customer_id = c.customer_id GROUP BY ALL
)
SELECT c.customer_id, c.cohort, m.month, m.until, m.done, c.first_day >= m.month AS is_new, l.ever >= m.month AS stays,
    coalesce(m.month - 1 - l.before < 90, false) AS was_there, least(m.until, today()) - 1 - l.within < 90 AS is_there,
    coalesce(churns, 0) AS churns, coalesce(returns, 0) AS returns
FROM cohorts c JOIN months m ON m.month >= c.cohort JOIN last_orders l ON l.customer_id = c.customer_id AND l.month = m.month
LEFT JOIN churned x ON x.customer_id = c.customer_id AND x.month = m.month
LEFT JOIN returned r ON r.customer_id = c.customer_id AND r.month = m.month;

-- mart: fact_cohort_churn
WITH bought AS (SELECT customer_id, month, count(*) AS orders, sum(net_value) AS revenue FROM eligible GROUP BY ALL),
cells AS (
    SELECT p.cohort, p.month, p.until, p.done, count(*) AS size, count(b.customer_id) AS active, coalesce(sum(b.orders), 0) AS orders,
        coalesce(sum(b.revenue), 0) AS revenue, count(*) FILTER (stays) AS retained,
        sum(was_there::INT) AS there, sum(CASE WHEN was_there THEN churns ELSE 0 END) AS churned, sum(returns) AS returned
    FROM presence p LEFT JOIN bought b USING (customer_id, month) GROUP BY ALL)
SELECT cohort AS cohort_start, 'month' AS period_grain, date_diff('month', cohort, month) AS period_index, month AS period_start,
    until AS period_end, done AS is_complete, size AS cohort_size, active AS active_customers,
    CASE WHEN done THEN active / size END AS retention_classic, retained AS retained_customers,
    CASE WHEN done THEN retained / size END AS retention_rolling, orders, revenue,
    sum(revenue) OVER w AS cum_net_value, CASE WHEN done THEN per(sum(revenue) OVER w, size) END AS cum_per_member,
    there AS customers_at_start, churned AS churned_customers, returned AS reactivated_customers,
    CASE WHEN done AND there > 0 THEN churned / there END AS churn_rate, 90 AS churn_days, 'fixed' AS threshold_rule,
    as_of() AS as_of, '2' AS definition_version
FROM cells WINDOW w AS (PARTITION BY cohort ORDER BY month);

-- mart: fact_churn_rate
SELECT month AS period_start, until AS period_end, 'month' AS period_grain, done AS is_final, there AS customers_at_start, new AS new_customers,
    returned AS reactivated_customers, churned AS churned_customers, arrivals AS churned_arrivals, still AS customers_at_end,
    CASE WHEN done AND there > 0 THEN churned / there END AS churn_rate,
    CASE WHEN done AND there > 0 THEN (churned + arrivals - returned) / there END AS net_churn_rate,
    45 AS risk_days, 90 AS churn_days, 'fixed' AS threshold_rule, as_of() AS as_of, '2' AS definition_version
FROM (
    SELECT month, until, done, count(*) FILTER (was_there) AS there, count(*) FILTER (is_new) AS new, sum(returns) AS returned,
        coalesce(sum(churns) FILTER (was_there), 0) AS churned, coalesce(sum(churns) FILTER (NOT was_there), 0) AS arrivals,
        count(*) FILTER (is_there) AS still
    FROM presence p GROUP BY month, until, done);

-- mart: fact_customer_lifecycle
WITH usual AS (
    -- The least gap that is at least as long as nine tenths of the customer's gaps.
    SELECT customer_id, list_sort(list(next - day))[(count(*) * 9 + 9) // 10] AS gap FROM spells WHERE next IS NOT NULL GROUP BY customer_id
    HAVING count(*) >= 5
), changes AS (
    FROM states WHERE day IS NOT NULL QUALIFY state IS DISTINCT FROM lag(state) OVER (PARTITION BY customer_id ORDER BY day)
)
SELECT customer_id, row_number() OVER w AS state_number, state, day AS from_date, lead(day) OVER w AS to_date,
    lead(day) OVER w IS NULL AS is_current, last_day AS last_order_date, 45 AS risk_days, 90 AS churn_days, 'fixed' AS threshold_rule,
    gap AS usual_gap_days, as_of() AS as_of, '2' AS definition_version
FROM changes LEFT JOIN usual USING (customer_id) WINDOW w AS (PARTITION BY customer_id ORDER BY day);

-- mart: fact_churn_points
WITH last_orders AS (
    -- The last order of the day after which the customer was gone.
    SELECT arg_max(order_id, n) AS order_id FROM eligible e
    JOIN states s ON s.customer_id = e.customer_id AND s.last_day = e.order_date AND s.state = 'churned' AND s.day IS NOT NULL
    GROUP BY e.customer_id, e.order_date
), main_product AS (
    SELECT order_id, product_id FROM lines SEMI JOIN eligible USING (order_id) GROUP BY order_id, product_id
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY sum(gross_value) DESC, product_id) = 1
), main_category AS (
    SELECT order_id, category FROM lines SEMI JOIN eligible USING (order_id) GROUP BY order_id, category
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY sum(gross_value) DESC, category) = 1
), points AS (
    SELECT e.order_id, e.n::VARCHAR AS order_number, coalesce(p.product_id, '(unknown)') AS product, coalesce(c.category, '(unknown)') AS category
    FROM eligible e LEFT JOIN main_product p USING (order_id) LEFT JOIN main_category c USING (order_id)
)
SELECT dimension, value, count(*) AS orders, count(l.order_id) AS churns,
    count(l.order_id) / nullif((SELECT count(*) FROM last_orders), 0) AS share_of_churns, count(l.order_id) / count(*) AS churn_per_order,
    90 AS churn_days, 'fixed' AS threshold_rule, as_of() AS as_of, '3' AS definition_version
FROM (SELECT order_id, 'order_number' AS dimension, order_number AS value FROM points
      UNION ALL SELECT order_id, 'category', category FROM points
      UNION ALL SELECT order_id, 'product', product FROM points) p
LEFT JOIN last_orders l USING (order_id) GROUP BY dimension, value;

-- step: attribution
-- table: in_window
SELECT e.order_id, t.touch_id, touched_at, source_order, t.channel, campaign_id
FROM eligible e JOIN touches t ON t.customer_id = e.customer_id AND t.touched_at BETWEEN e.ordered_at - INTERVAL 720 HOURS AND e.ordered_at;

-- The path of an order, repeats in a row left out.
-- table: steps
SELECT order_id, touch_id, touched_at, channel, campaign_id, row_number() OVER w AS pos FROM (
    FROM in_window WINDOW w AS (PARTITION BY order_id ORDER BY touched_at, source_order, touch_id)
    QUALIFY coalesce((channel, coalesce(campaign_id, '')) <> lag((channel, coalesce(campaign_id, ''))) OVER w, true))
WINDOW w AS (PARTITION BY order_id ORDER BY touched_at, source_order, touch_id);

-- What a customer saw in vain: the touches in the window of no order, from one order to the next.
-- table: vain
SELECT customer_id, before, touched_at, source_order, touch_id, channel FROM (
    SELECT *, sum(is_order) OVER (PARTITION BY customer_id ORDER BY touched_at, is_order, touch_id ROWS UNBOUNDED PRECEDING) AS before FROM (
        SELECT customer_id, touched_at, source_order, touch_id, channel, 0 AS is_order FROM touches ANTI JOIN in_window USING (touch_id)
        UNION ALL SELECT customer_id, ordered_at, NULL, order_id, NULL, 1 FROM eligible))
WHERE channel IS NOT NULL;

-- How often one state of a path is followed by the next; '' begins a path, 'true' ends it in an order, 'false' in nothing.
-- table: transitions
SELECT source, target, count(*) AS n FROM (
    SELECT coalesce(lag(channel) OVER w, '') AS source, channel AS target FROM steps WINDOW w AS (PARTITION BY order_id ORDER BY pos)
    UNION ALL SELECT arg_max(channel, pos), 'true' FROM steps GROUP BY order_id
    UNION ALL SELECT coalesce(lag(channel) OVER w, ''), channel FROM vain
        WINDOW w AS (PARTITION BY customer_id, before ORDER BY touched_at, source_order, touch_id)
    UNION ALL SELECT arg_max(channel, {t: touched_at, o: source_order, i: touch_id}), 'false' FROM vain GROUP BY customer_id, before)
GROUP BY ALL;

-- python: removal_effects

-- table: shape
SELECT s.*, count(*) OVER o AS n, sum(is_first::INT) OVER o AS kinds, count(*) OVER (PARTITION BY order_id, channel) AS same,
    coalesce(max(pos) FILTER (channel <> 'direct') OVER o, count(*) OVER o) AS last_real,
    epoch_us(max(touched_at) OVER o) - epoch_us(touched_at) AS micros, coalesce(r.effect, 0) AS effect
FROM (SELECT *, row_number() OVER (PARTITION BY order_id, channel ORDER BY pos) = 1 AS is_first FROM steps) s
LEFT JOIN removal_effects r USING (channel)
WINDOW o AS (PARTITION BY order_id);

-- table: shares
WITH weights AS (
    SELECT order_id, pos, touch_id, channel, campaign_id, n, (pos = 1)::INT::DECIMAL(18, 15) AS first, (pos = n)::INT::DECIMAL(18, 15) AS last,
        (pos = last_real)::INT::DECIMAL(18, 15) AS real, 1::DECIMAL(18, 15) AS linear,
        CASE WHEN n < 3 THEN 1.0 WHEN pos IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END::DOUBLE::DECIMAL(18, 15) AS position,
        pow(2, -(micros / 86400000000) / 7)::DECIMAL(13, 12)::DECIMAL(18, 15) AS decay, effect::DECIMAL(13, 12)::DECIMAL(18, 15) AS markov,
        (1.0::DOUBLE / kinds / same)::DECIMAL(18, 15) AS shapley
    FROM shape
), listed AS (
    SELECT order_id, pos, touch_id, channel, coalesce(campaign_id, '(no campaign)') AS campaign_id, n, unnest([
        {model: 'first', w: first, total: sum(first) OVER o}, {model: 'last', w: last, total: sum(last) OVER o},
        {model: 'last_non_direct', w: real, total: sum(real) OVER o}, {model: 'linear', w: linear, total: sum(linear) OVER o},
        {model: 'position', w: position, total: sum(position) OVER o}, {model: 'time_decay', w: decay, total: sum(decay) OVER o},
        {model: 'markov', w: markov, total: sum(markov) OVER o}, {model: 'shapley', w: shapley, total: sum(shapley) OVER o}], recursive := true)
    FROM weights WINDOW o AS (PARTITION BY order_id)
)
SELECT order_id, model, pos, touch_id, channel, campaign_id, total = 0 AS is_fallback,
    (CASE WHEN total = 0 THEN 1 / n::DOUBLE ELSE w::DOUBLE / total::DOUBLE END)::DECIMAL(13, 12)::DECIMAL(20, 12) AS weight
FROM listed WHERE total = 0 OR w > 0;

-- Where the cost of an order is not known in full, 35 of 100 remain of the lines without a cost and, so far as it was not
-- refunded, all but the cost of the others.
-- table: earned
WITH told AS (
    SELECT order_id, (sum(l.gross_value) * 10000)::HUGEINT AS gross,
        (coalesce(sum(l.gross_value) FILTER (l.cost_value IS NOT NULL), 0) * 10000)::HUGEINT AS costed,
        coalesce(sum(l.cost_value), 0)::DECIMAL(18, 4) AS cost,
        any_value((greatest(e.net_value, 0) * 10000)::HUGEINT) AS kept, any_value(((e.net_value + e.refund_value) * 10000)::HUGEINT) AS sold
    FROM lines l JOIN eligible e USING (order_id) WHERE e.cost_value IS NULL GROUP BY order_id
), margins AS (
    SELECT order_id,
        CASE WHEN gross > 0 THEN (half_away((35 * gross + 65 * costed) * 10000000000, gross)::DECIMAL(30, 0) / 1000000000000)::DECIMAL(18, 12)
            END::DECIMAL(20, 12) AS margin_rate,
        (cost * CASE WHEN sold > 0 THEN (half_away(kept * 1000000000000, sold)::DECIMAL(30, 0) / 1000000000000)::DECIMAL(18, 12)
            ELSE 1 END::DECIMAL(20, 12))::DECIMAL(18, 4) AS known_cost
    FROM told
)
SELECT e.*, (CASE WHEN cost_value IS NOT NULL THEN net_value - cost_value WHEN margin_rate IS NOT NULL THEN net_value * margin_rate - known_cost
    ELSE net_value * 0.35 END + coupon_value)::DECIMAL(18, 4) AS contribution
FROM eligible e LEFT JOIN margins USING (order_id);

-- What is left over by rounding goes to the largest share, the earliest among equals.
-- table: credits
WITH parts AS (
    SELECT s.*, (net_value * weight)::DECIMAL(18, 4) AS net, CASE WHEN refund_value = 0 THEN 0 ELSE (refund_value * weight)::DECIMAL(18, 4) END AS refund,
        (contribution * weight)::DECIMAL(18, 4) AS contributed
    FROM shares s JOIN earned USING (order_id)
), given AS (
    SELECT order_id, model, arg_min(pos, {w: -weight, p: pos}) AS pos, sum(weight) AS weight, sum(net) AS net, sum(refund) AS refund, sum(contributed) AS contributed
    FROM parts GROUP BY order_id, model
), rest AS (
    SELECT order_id, model, pos, 1 - weight AS weight, net_value - net AS net, refund_value - refund AS refund, contribution - contributed AS contributed
    FROM given JOIN earned USING (order_id)
)
SELECT order_id, customer_id, month, model, pos, touch_id, channel, campaign_id, is_fallback, cost_value IS NULL AS is_estimated, refunded_on, n,
    (p.weight + coalesce(r.weight, 0))::DECIMAL(20, 12) AS weight, (p.net + coalesce(r.net, 0))::DECIMAL(18, 4) AS net_value,
    (p.refund + coalesce(r.refund, 0))::DECIMAL(18, 4) AS refund_value, (p.contributed + coalesce(r.contributed, 0))::DECIMAL(18, 4) AS contribution
FROM parts p LEFT JOIN rest r USING (order_id, model, pos)
JOIN (SELECT order_id, customer_id, month, cost_value, refunded_on, n FROM earned) USING (order_id)
UNION ALL
SELECT order_id, customer_id, month, model, NULL, NULL, '(unattributed)', '(unattributed)', false, cost_value IS NULL, refunded_on, n, 1, net_value,
    refund_value, contribution
FROM earned ANTI JOIN steps USING (order_id) CROSS JOIN (SELECT DISTINCT model FROM shares);

-- mart: fact_attribution_credits
SELECT order_id, customer_id, month AS order_month, model, pos AS touch_position, touch_id, channel, campaign_id, weight, net_value, refund_value,
    refunded_on, contribution AS contribution_value, is_estimated, n = 1 AS is_first_order, is_fallback, 30 AS attribution_days,
    CASE WHEN model = 'time_decay' THEN 7 END::DECIMAL(9, 4) AS half_life_days, as_of() AS as_of, '3' AS definition_version
FROM credits;

-- mart: fact_attribution_channels
WITH named AS (SELECT DISTINCT model FROM credits), channels AS (SELECT DISTINCT channel FROM touches UNION SELECT '(unattributed)'),
total AS (SELECT sum(effect) AS effects FROM removal_effects),
touched AS (SELECT count(*) AS orders, sum(net_value) AS value FROM eligible SEMI JOIN steps USING (order_id)),
summed AS (SELECT model, channel, sum(weight) AS weight, sum(net_value) AS net FROM credits GROUP BY ALL)
SELECT n.model, k.channel, coalesce(weight, 0) AS attributed_conversions, coalesce(net, 0) AS attributed_net_revenue,
    CASE WHEN n.model = 'markov' THEN effect END AS removal_effect,
    CASE WHEN n.model = 'markov' THEN effect / effects END AS removal_share,
    CASE WHEN n.model = 'markov' THEN effect / effects * orders END AS pooled_conversions,
    CASE WHEN n.model = 'markov' THEN effect / effects * value::DOUBLE END AS pooled_net_revenue,
    as_of() AS as_of, '2' AS definition_version
FROM named n CROSS JOIN channels k CROSS JOIN total CROSS JOIN touched
LEFT JOIN summed c ON c.model = n.model AND c.channel = k.channel LEFT JOIN removal_effects r ON r.channel = k.channel;

-- step: campaigns
-- table: spend
SELECT campaign_id, channel, cost_date AS spend_date, (cost * rate)::DECIMAL(18, 4) AS spend_value, impressions, clicks,
    platform_conversions AS platform_reported_conversions
FROM campaign_costs c JOIN rates r ON r.currency = c.currency AND r.rate_date = c.cost_date WHERE cost_date < today();

-- mart: fact_campaign_spend
SELECT *, as_of() AS as_of, '2' AS definition_version FROM spend;

-- table: costs
SELECT campaign_id, date_trunc('month', spend_date)::DATE AS month, sum(spend_value) AS spend FROM spend GROUP BY ALL;

-- Every campaign is there to gain customers.
-- mart: fact_campaign_roi
WITH credited AS (
    SELECT campaign_id, model, month, sum(weight) AS orders, sum(CASE WHEN n = 1 THEN weight ELSE 0 END) AS gained, sum(net_value) AS net,
        sum(refund_value) AS refunds, sum(contribution) AS contribution, sum(CASE WHEN is_estimated THEN net_value ELSE 0 END) AS estimated
    FROM credits GROUP BY ALL
), seen AS (
    SELECT coalesce(campaign_id, '(no campaign)') AS campaign_id, date_trunc('month', touch_date)::DATE AS month, count(*) AS touches FROM touches GROUP BY ALL
), coupons AS (
    SELECT coupon_campaign_id AS campaign_id, month, sum(coupon_value) AS coupon FROM eligible WHERE coupon_campaign_id IS NOT NULL GROUP BY ALL
), rows AS (
    SELECT campaign_id, month FROM credited UNION SELECT campaign_id, month FROM seen UNION SELECT campaign_id, month FROM coupons
    UNION SELECT campaign_id, month FROM costs UNION SELECT '(unattributed)', month FROM eligible
), cohort_value AS (
    -- What a member of a cohort has brought by its k-th month, for whole months in which the cohort bought.
    SELECT cohort, date_diff('month', cohort, month) AS k, per(sum(earned) OVER (PARTITION BY cohort ORDER BY month), members)::DOUBLE AS value
    FROM (SELECT cohort, month, sum(contribution) AS earned FROM earned JOIN cohorts USING (customer_id) GROUP BY ALL)
    JOIN (SELECT cohort, count(*) AS members FROM cohorts GROUP BY cohort) USING (cohort)
    JOIN months USING (month) WHERE done
), joined AS (
    SELECT r.campaign_id, g.model, r.month, coalesce(s.spend, 0)::DECIMAL(18, 4) AS spend, coalesce(k.coupon, 0)::DECIMAL(18, 4) AS coupon,
        coalesce(t.touches, 0) AS touches, coalesce(c.orders, 0) AS orders, coalesce(c.gained, 0) AS gained, coalesce(c.net, 0) AS net,
        coalesce(c.refunds, 0) AS refunds, coalesce(c.contribution, 0) AS contribution, coalesce(c.estimated, 0) AS estimated,
        CASE WHEN s.spend > 0 AND c.gained > 0 THEN s.spend::DOUBLE / c.gained::DOUBLE END AS cac
    FROM rows r CROSS JOIN (SELECT DISTINCT model FROM credits) g
    LEFT JOIN credited c ON c.campaign_id = r.campaign_id AND c.month = r.month AND c.model = g.model
    LEFT JOIN costs s ON s.campaign_id = r.campaign_id AND s.month = r.month
    LEFT JOIN coupons k ON k.campaign_id = r.campaign_id AND k.month = r.month
    LEFT JOIN seen t ON t.campaign_id = r.campaign_id AND t.month = r.month
), earnings AS (SELECT month, sum(net_value)::DOUBLE AS net FROM eligible GROUP BY month),
spendings AS (SELECT month, sum(spend)::DOUBLE AS spend FROM costs GROUP BY month),
won AS (SELECT cohort AS month, count(*) AS newcomers FROM cohorts GROUP BY cohort)
SELECT j.campaign_id, d.name AS campaign_name, CASE WHEN j.campaign_id LIKE '(%' THEN j.campaign_id ELSE d.channel END AS channel, j.model,
    j.month AS month_start, (j.month + INTERVAL 1 MONTH)::DATE AS month_end, (j.month + INTERVAL 1 MONTH)::DATE <= today() AS is_complete,
    j.spend, j.spend AS acquisition_spend, j.coupon AS coupon_value, j.spend + j.coupon AS total_cost, j.touches, j.orders AS attributed_conversions,
    j.gained AS attributed_new_customers, j.net AS attributed_net_revenue, j.refunds AS attributed_refunds,
    j.contribution AS attributed_contribution, j.estimated AS net_revenue_without_cost,
    CASE WHEN j.spend > 0 THEN j.net::DOUBLE / j.spend::DOUBLE END AS roas,
    CASE WHEN j.spend > 0 THEN (j.contribution - (j.spend + j.coupon))::DOUBLE / (j.spend + j.coupon)::DOUBLE END AS roi,
    e.net / nullif(m.spend, 0) AS mer, nullif(m.spend, 0) / w.newcomers AS blended_cac,
    j.cac, (SELECT min(k) FROM cohort_value v WHERE v.cohort = j.month AND v.value >= j.cac) AS payback_months,
    (SELECT max_by(value, k) FROM cohort_value v WHERE v.cohort = j.month) / j.cac AS ltv_to_cac,
    j.spend = 0 AND j.touches > 0 AND j.campaign_id NOT LIKE '(%' AS spend_missing, 'platform' AS spend_tz, 30 AS attribution_days,
    as_of() AS as_of, '3' AS definition_version
FROM joined j LEFT JOIN campaigns d ON d.campaign_id = j.campaign_id
LEFT JOIN earnings e ON e.month = j.month LEFT JOIN spendings m ON m.month = j.month LEFT JOIN won w ON w.month = j.month;

-- What each member of the groups of a campaign ordered; a coupon is no gain.
-- table: outcomes
WITH assigned AS (
    SELECT campaign_id, customer_id, assigned_group AS side, assigned_at AS t,
        min(assigned_group) OVER groups <> max(assigned_group) OVER groups AS moved
    FROM campaign_sends WHERE customer_id IS NOT NULL AND assigned_at < as_of()
    WINDOW groups AS (PARTITION BY campaign_id, customer_id)
    QUALIFY row_number() OVER (PARTITION BY campaign_id, customer_id ORDER BY assigned_at, assigned_group, send_id) = 1
)
SELECT a.campaign_id, a.customer_id, side, moved, t + INTERVAL 336 HOURS <= as_of() AS done, count(m.order_id) AS orders,
    coalesce(sum(net_value), 0)::DECIMAL(18, 4) AS revenue, coalesce(sum(contribution - coupon_value), 0)::DECIMAL(18, 4) AS contribution
FROM assigned a
LEFT JOIN earned m ON m.customer_id = a.customer_id AND m.ordered_at >= t AND m.ordered_at < t + INTERVAL 336 HOURS
GROUP BY a.campaign_id, a.customer_id, side, moved, t;

-- table: sides
WITH counted AS (
    SELECT campaign_id, bool_and(done) AS done, count(*) FILTER (moved) AS moved,
        count(*) FILTER (side = 'treatment') AS nt, count(*) FILTER (side = 'control') AS nc,
        count(*) FILTER (side = 'treatment' AND orders > 0) AS xt, count(*) FILTER (side = 'control' AND orders > 0) AS xc,
        coalesce(sum(revenue) FILTER (side = 'treatment'), 0) AS rt, coalesce(sum(revenue) FILTER (side = 'control'), 0) AS rc,
        coalesce(sum(contribution) FILTER (side = 'treatment'), 0) AS ct, coalesce(sum(contribution) FILTER (side = 'control'), 0) AS cc
    FROM outcomes GROUP BY campaign_id
)
SELECT *, least(xt, nt - xt, xc, nc - xc) >= 5 AS enough FROM counted;

-- Of a campaign with too few orders no interval of revenue is told.
-- table: resampled
SELECT campaign_id, any_value(nt) AS nt, any_value(nc) AS nc, list(revenue::DOUBLE ORDER BY revenue) FILTER (side = 'treatment' AND revenue <> 0) AS treated,
    list(revenue::DOUBLE ORDER BY revenue) FILTER (side = 'control' AND revenue <> 0) AS control
FROM outcomes JOIN sides USING (campaign_id) WHERE enough GROUP BY campaign_id;

-- step: resampling
-- python: revenue_intervals

-- step: campaigns
-- Each campaign has one treatment.
-- mart: fact_campaign_lift
WITH proportions AS (
    SELECT *, xt / nullif(nt, 0) AS pt, xc / nullif(nc, 0) AS pc,
        (xt + 1.9208) / (nt + 3.8416) AS mt, (xc + 1.9208) / (nc + 3.8416) AS mc,
        1.96 * sqrt((xt * (1 - xt / nullif(nt, 0)) + 0.9604)) / (nt + 3.8416) AS ht, 1.96 * sqrt((xc * (1 - xc / nullif(nc, 0)) + 0.9604)) / (nc + 3.8416) AS hc
    FROM sides
), margins AS (
    SELECT *, CASE WHEN enough THEN 1.96 * sqrt(pt * (1 - pt) / nt + pc * (1 - pc) / nc) ELSE sqrt((pt - (mt - ht)) ** 2 + ((mc + hc) - pc) ** 2) END AS down,
        CASE WHEN enough THEN 1.96 * sqrt(pt * (1 - pt) / nt + pc * (1 - pc) / nc) ELSE sqrt(((mt + ht) - pt) ** 2 + (pc - (mc - hc)) ** 2) END AS up,
        nt * i.low AS money_low, nt * i.high AS money_high
    FROM proportions LEFT JOIN revenue_intervals i USING (campaign_id)
)
SELECT m.campaign_id, k.name AS campaign_name, 'treatment' AS arm, done AS is_complete, nt AS treated_customers, nc AS control_customers, moved AS reassigned_customers, xt AS treated_converters,
    xc AS control_converters, pt AS treated_rate, pc AS control_rate, pt - pc AS rate_difference, pt - pc - down AS rate_difference_low,
    pt - pc + up AS rate_difference_high, xt - nt * pc AS incremental_conversions, (pt - pc - down) * nt AS incremental_conversions_low,
    (pt - pc + up) * nt AS incremental_conversions_high, coalesce(pt - pc - down <= 0 AND pt - pc + up >= 0, true) AS inconclusive,
    CASE WHEN enough THEN 'wald' WHEN nt > 0 AND nc > 0 THEN 'newcombe' END AS interval_method, rt AS treated_revenue, rc AS control_revenue,
    rt::DOUBLE - nt * rc::DOUBLE / nullif(nc, 0) AS incremental_revenue, money_low AS incremental_revenue_low, money_high AS incremental_revenue_high,
    coalesce(money_low <= 0 AND money_high >= 0, true) AS revenue_inconclusive, ct::DOUBLE - nt * cc::DOUBLE / nullif(nc, 0) AS incremental_contribution,
    coalesce(spend, 0) AS spend, (rt::DOUBLE - nt * rc::DOUBLE / nullif(nc, 0)) / nullif(spend::DOUBLE, 0) AS incremental_roas,
    (ct::DOUBLE - nt * cc::DOUBLE / nullif(nc, 0) - spend::DOUBLE) / nullif(spend::DOUBLE, 0) AS incremental_roi, 14 AS lift_days,
    CASE WHEN nt > 0 AND nc > 0 THEN 'randomised control group, intention to treat' END AS method, as_of() AS as_of, '5' AS definition_version
FROM margins m LEFT JOIN campaigns k USING (campaign_id) LEFT JOIN (SELECT campaign_id, sum(spend) AS spend FROM costs GROUP BY ALL) USING (campaign_id);

-- mart: fact_campaign_pre_post
WITH first_touch AS (SELECT campaign_id, customer_id, min(touched_at) AS t FROM touches WHERE campaign_id IS NOT NULL GROUP BY ALL),
sums AS (
    SELECT campaign_id, bool_and(t + INTERVAL 336 HOURS <= as_of()) AS done, count(DISTINCT f.customer_id) AS customers,
        count(*) FILTER (ordered_at < t AND ordered_at >= t - INTERVAL 336 HOURS) AS before,
        count(*) FILTER (ordered_at >= t AND ordered_at < t + INTERVAL 336 HOURS) AS after,
        coalesce(sum(net_value) FILTER (ordered_at < t AND ordered_at >= t - INTERVAL 336 HOURS), 0) AS rb,
        coalesce(sum(net_value) FILTER (ordered_at >= t AND ordered_at < t + INTERVAL 336 HOURS), 0) AS ra
    FROM first_touch f LEFT JOIN eligible e USING (customer_id) GROUP BY campaign_id
)
SELECT s.campaign_id, k.name AS campaign_name, done AS is_complete, customers, before AS orders_before, after AS orders_after, rb AS revenue_before,
    ra AS revenue_after, (after - before) / nullif(before, 0) AS orders_change, (ra - rb)::DOUBLE / nullif(rb::DOUBLE, 0) AS revenue_change,
    14 AS window_days, false AS is_causal, 'before and after, no control group: not causal' AS method, as_of() AS as_of, '2' AS definition_version
FROM sums s LEFT JOIN campaigns k USING (campaign_id)
