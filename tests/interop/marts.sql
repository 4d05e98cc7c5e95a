-- The marts of the sample, from the clean tables, as docs/marts.md defines them. Written for DuckDB and apart from sql/marts.

-- Exact division with rounding half away from zero: DuckDB itself divides decimals as doubles.
CREATE MACRO half_away(a, b) AS (sign(a) * sign(b) * ((2 * abs(a)::HUGEINT + abs(b)) // (2 * abs(b)::HUGEINT)))::HUGEINT;
CREATE MACRO per(a, n) AS (half_away((a * 10000)::HUGEINT, n::HUGEINT)::DECIMAL(30, 0) / 10000)::DECIMAL(18, 4);
CREATE MACRO day_of(t) AS (t AT TIME ZONE 'Asia/Shanghai')::DATE;
CREATE MACRO as_of() AS TIMESTAMPTZ '2026-01-31 00:00:00+08';
CREATE MACRO today() AS DATE '2026-01-31';

-- Products of two decimals of at most 18 digits have 18 digits in DuckDB; a wider factor makes them wider.
CREATE VIEW rates AS SELECT rate_date, currency, rate::DECIMAL(24, 8) AS rate FROM exchange_rates;

------------------------------------------------------------------------------------------------------------- facts
CREATE TABLE o_lines AS
SELECT l.order_id, l.line_no, l.sku, l.quantity, l.unit_price, p.unit_cost, p.category
FROM online_order_lines l LEFT JOIN products p USING (sku);

CREATE TABLE web_app AS
WITH sums AS (
    SELECT order_id, sum(quantity * unit_price) AS items, sum(quantity * unit_cost) AS cost,
        bool_and(unit_cost IS NOT NULL) AS costed
    FROM o_lines GROUP BY order_id
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
    lines_items = items_amount AS whole, CASE WHEN lines_items = items_amount AND costed THEN (cost::DECIMAL(18, 4) * kept_share)::DECIMAL(18, 4) END AS cost_value,
    coupon_campaign_id,
    CASE WHEN coupon_campaign_id IS NULL THEN 0
         ELSE ((discount_amount * rate)::DECIMAL(18, 4) * kept_share)::DECIMAL(18, 4) END::DECIMAL(18, 4) AS coupon_value,
    CASE WHEN status = 'test' THEN 'test' WHEN status = 'cancelled' THEN 'cancelled'
         WHEN customer_id IS NULL THEN 'unresolved' ELSE 'eligible' END AS eligibility
FROM kept;

CREATE TABLE receipts AS
SELECT s.receipt_id, min(customer_id) AS customer_id, min(sold_at) AS sold_at, min(original_receipt_id) AS original,
    bool_or(kind = 'sale') AS is_sale,
    sum(CASE WHEN kind = 'sale' THEN quantity * unit_price ELSE 0 END)::DECIMAL(18, 4) AS gross,
    sum(CASE WHEN kind = 'sale' THEN amount ELSE 0 END)::DECIMAL(18, 4) AS sold,
    sum(CASE WHEN kind = 'return' THEN -amount ELSE 0 END)::DECIMAL(18, 4) AS returned,
    CASE WHEN bool_and(unit_cost IS NOT NULL) THEN sum(quantity * unit_cost)::DECIMAL(18, 4) END AS cost
FROM store_sales s LEFT JOIN products p USING (sku)
WHERE sold_at < as_of()
GROUP BY ALL;

CREATE TABLE store AS
WITH back AS (
    SELECT original, sum(returned) AS returned, max(sold_at) AS moment,
        CASE WHEN bool_and(cost IS NOT NULL) THEN sum(cost) END AS cost
    FROM receipts WHERE NOT is_sale AND original IS NOT NULL GROUP BY original
)
SELECT r.receipt_id AS order_id, customer_id, sold_at AS ordered_at, 'store' AS channel, gross AS gross_value,
    gross - sold AS discount_value, r.returned + coalesce(b.returned, 0) AS refund_value,
    0 AS tax_value, 0 AS shipping_value, 1 AS rate,
    CASE WHEN r.returned > 0 THEN greatest(day_of(sold_at), coalesce(day_of(b.moment), day_of(sold_at))) ELSE day_of(b.moment) END AS refunded_on,
    CASE WHEN b.original IS NULL THEN r.cost ELSE r.cost + b.cost END AS cost_value,
    NULL AS coupon_campaign_id, 0 AS coupon_value,
    CASE WHEN NOT is_sale THEN 'return_without_sale' WHEN customer_id IS NULL THEN 'unresolved' ELSE 'eligible' END AS eligibility
FROM receipts r LEFT JOIN back b ON b.original = r.receipt_id AND r.is_sale
WHERE is_sale OR coalesce(r.original, '') NOT IN (SELECT receipt_id FROM receipts WHERE is_sale);

CREATE TABLE orders AS
SELECT *, day_of(ordered_at) AS order_date, gross_value - discount_value AS sale_value,
    gross_value - discount_value - refund_value AS net_value, eligibility = 'eligible' AS is_eligible
FROM (SELECT * FROM web_app UNION ALL BY NAME SELECT * FROM store);

CREATE TABLE eligible AS
SELECT *, row_number() OVER w AS n, lag(ordered_at) OVER w AS before_at, date_trunc('month', order_date)::DATE AS month
FROM orders WHERE is_eligible
WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at, order_id);

-- mart: fact_orders
SELECT o.order_id, o.customer_id, o.ordered_at, o.order_date, o.channel, o.gross_value, o.discount_value, o.refund_value,
    o.tax_value, o.shipping_value, o.net_value, o.sale_value, o.refunded_on, o.cost_value, o.coupon_campaign_id, o.coupon_value,
    o.is_eligible, o.eligibility, coalesce(e.n = 1, false) AS is_first_order, as_of() AS as_of, '2' AS definition_version
FROM orders o LEFT JOIN eligible e USING (order_id);

CREATE TABLE lines AS
SELECT order_id, line_no AS line_number, sku AS product_id, category, quantity,
    (quantity * unit_price * rate)::DECIMAL(18, 4) AS gross_value, CASE WHEN whole THEN (quantity * unit_cost)::DECIMAL(18, 4) END AS cost_value
FROM o_lines JOIN web_app USING (order_id)
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

-- A visit is an event list; its first event begins it, and the first with a campaign names the campaign.
CREATE TABLE web_visits AS
SELECT session_id, customer_id, arg_min(event_id, (occurred_at, event_id)) AS event_id, min(occurred_at) AS moment, max(occurred_at) AS until,
    list({c: utm_campaign, m: utm_medium} ORDER BY utm_campaign IS NULL, utm_medium IS NULL, occurred_at, event_id)[1] AS link,
    list(referrer ORDER BY occurred_at, event_id)[1] AS referrer
FROM web_events WHERE customer_id IS NOT NULL AND occurred_at < as_of() GROUP BY session_id, customer_id;

CREATE TABLE app_visits AS
SELECT session_id, customer_id, arg_min(event_id, (occurred_at, event_id)) AS event_id, min(occurred_at) AS moment, max(occurred_at) AS until,
    list(campaign_id ORDER BY campaign_id IS NULL, occurred_at, event_id)[1] AS campaign_id
FROM app_events WHERE customer_id IS NOT NULL AND occurred_at < as_of() GROUP BY session_id, customer_id;

CREATE TABLE touches AS
WITH treated AS (
    FROM campaign_sends WHERE customer_id IS NOT NULL AND assigned_group = 'treatment'
), happened AS (
    SELECT 'sent:' || send_id AS touch_id, customer_id, sent_at AS touched_at, 'message_sent' AS touch_type, channel, campaign_id, NULL AS session_id, 1 AS source_order
    FROM treated WHERE sent_at < as_of()
    UNION ALL
    SELECT 'clicked:' || send_id, customer_id, clicked_at, 'message_clicked', channel, campaign_id, NULL, 2 FROM treated WHERE clicked_at < as_of()
    UNION ALL
    SELECT 'web:' || event_id, customer_id, moment, 'web_session',
        CASE WHEN link.m IN ('cpc', 'ppc') THEN 'paid_search' WHEN link.m IS NOT NULL THEN link.m
             WHEN regexp_matches(referrer, '//([^/]*\.)?(baidu|bing|google|search|sogou)\.') THEN 'organic_search'
             WHEN referrer IS NOT NULL THEN 'referral' ELSE 'direct' END, link.c, session_id, 3
    FROM web_visits
    UNION ALL
    SELECT 'app:' || event_id, customer_id, moment, 'app_session', 'app', campaign_id, session_id, 4 FROM app_visits
)
SELECT touch_id, customer_id, touched_at, day_of(touched_at) AS touch_date, touch_type, coalesce(k.channel, h.channel) AS channel,
    campaign_id, session_id, source_order
FROM happened h LEFT JOIN campaigns k USING (campaign_id);

-- mart: fact_touches
SELECT *, as_of() AS as_of, '2' AS definition_version FROM touches;

CREATE TABLE known AS
SELECT customer_id FROM (
    SELECT customer_id, created_at AS moment FROM crm_customers UNION ALL SELECT customer_id, assigned_at FROM campaign_sends
    UNION ALL SELECT customer_id, placed_at FROM online_orders UNION ALL SELECT customer_id, sold_at FROM store_sales)
WHERE customer_id IS NOT NULL AND moment < as_of() GROUP BY customer_id;

CREATE TABLE first_seen AS SELECT customer_id, min(first_seen) AS moment FROM identity_map GROUP BY customer_id;

-- mart: dim_customers
WITH profile AS (
    SELECT customer_id, max_by(c, (updated_at, -place)) AS p FROM (
        SELECT c.*, row_number() OVER (ORDER BY user_id) AS place, c FROM crm_customers c WHERE customer_id IS NOT NULL AND created_at < as_of())
    GROUP BY customer_id
), seen AS (
    SELECT customer_id, max(moment) AS moment FROM (
        SELECT customer_id, until AS moment FROM web_visits UNION ALL SELECT customer_id, until FROM app_visits
        UNION ALL SELECT customer_id, ordered_at FROM web_app UNION ALL SELECT customer_id, sold_at FROM receipts)
    WHERE customer_id IS NOT NULL GROUP BY customer_id
)
SELECT k.customer_id, f.moment AS first_seen_at, s.moment AS last_seen_at, p.user_id, p.created_at AS registered_at,
    year(p.birthday) AS birth_year, p.gender, p.city, coalesce(p.consent_email, false) AS consent_email,
    coalesce(p.consent_sms, false) AS consent_sms, as_of() AS as_of, '2' AS definition_version
FROM known k LEFT JOIN first_seen f USING (customer_id) LEFT JOIN seen s USING (customer_id) LEFT JOIN profile USING (customer_id);

-- mart: fact_cash_movements
SELECT order_id, customer_id, 'sale' AS movement, order_date AS booked_on, sale_value AS value, as_of() AS as_of, '3' AS definition_version FROM eligible
UNION ALL
SELECT order_id, customer_id, 'refund', refunded_on, -refund_value, as_of(), '3' FROM eligible WHERE refund_value <> 0 AND channel <> 'store'
UNION ALL
SELECT e.order_id, e.customer_id, 'refund', day_of(r.sold_at) AS day, -sum(returned), as_of(), '3'
FROM receipts r JOIN eligible e ON e.channel = 'store' AND e.order_id = CASE WHEN r.is_sale THEN r.receipt_id ELSE r.original END
WHERE returned <> 0 GROUP BY e.order_id, e.customer_id, day;

------------------------------------------------------------------------------------------------------------- RFM
CREATE TABLE nights AS FROM (VALUES ('now', today()), ('then', today() - 30)) AS t (night, day);

CREATE TABLE buyers AS
SELECT night, day, customer_id, max(order_date) AS last_day, day - 1 - max(order_date) AS recency,
    count(*) FILTER (order_date >= day - 365) AS frequency,
    coalesce(sum(net_value) FILTER (order_date >= day - 365), 0)::DECIMAL(18, 4) AS monetary
FROM eligible, nights WHERE order_date < day GROUP BY night, day, customer_id;

-- Counts of worse customers by comparing everybody with everybody.
CREATE TABLE scored AS
SELECT a.night, a.customer_id, a.last_day, a.recency, a.frequency, a.monetary,
    least(5, 1 + 5 * count_if(b.recency > a.recency) // count(*))::BIGINT AS r,
    least(5, 1 + 5 * count_if(b.frequency < a.frequency) // count(*))::BIGINT AS f,
    least(5, 1 + 5 * count_if(b.monetary < a.monetary) // count(*))::BIGINT AS raw_m,
    CASE WHEN count(*) < 25 OR count(DISTINCT b.recency) = 1 OR count(DISTINCT b.frequency) = 1 OR count(DISTINCT b.monetary) = 1
         THEN 'degenerate' ELSE 'ok' END AS quality
FROM buyers a JOIN buyers b ON a.night = b.night
GROUP BY a.night, a.customer_id, a.last_day, a.recency, a.frequency, a.monetary;

CREATE TABLE segmented AS
SELECT *, (f + m + 1) // 2 AS fm,
    ['Hibernating,Hibernating,At risk,At risk,Can''t lose them', 'Hibernating,Hibernating,At risk,At risk,Can''t lose them',
     'About to sleep,About to sleep,Need attention,Loyal,Loyal', 'Promising,Potential loyalist,Potential loyalist,Loyal,Loyal',
     'New,Potential loyalist,Potential loyalist,Champions,Champions'][r].split(',')[(f + m + 1) // 2] AS segment
FROM (SELECT *, CASE WHEN monetary <= 0 THEN 1 ELSE raw_m END AS m FROM scored);

CREATE TABLE rfm AS
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
    SELECT 'recency' AS dimension, score, max(recency) AS cutpoint FROM scored, range(2, 6) t(score) WHERE night = 'now' AND r >= score GROUP BY score
    UNION ALL SELECT 'frequency', score, min(frequency) FROM scored, range(2, 6) t(score) WHERE night = 'now' AND f >= score GROUP BY score
    UNION ALL SELECT 'monetary', score, min(monetary) FROM scored, range(2, 6) t(score) WHERE night = 'now' AND raw_m >= score GROUP BY score);

-- mart: rfm_migration
SELECT coalesce(previous_segment, '(not known yet)') AS previous_segment, segment, count(*) AS customers, sum(monetary_total) AS net_value,
    today() - 30 AS previous_as_of_date, as_of() AS as_of, '2' AS definition_version
FROM rfm GROUP BY 1, 2;

CREATE TABLE matrix AS
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

---------------------------------------------------------------------------------------------------- cohorts and churn
-- The state of every customer on every day of their life, one day at a time.
CREATE TABLE days AS
SELECT customer_id, d::DATE AS day, max(order_date) AS last_day, max(order_date) FILTER (order_date < d) AS last_before,
    bool_or(order_date = d) AS ordered, min(order_date) AS first_day
FROM eligible, (SELECT unnest(generate_series((SELECT min(order_date) FROM eligible), today() - 1, INTERVAL 1 DAY)) AS d)
WHERE order_date <= d GROUP BY customer_id, d;

CREATE TABLE states AS
SELECT *, CASE WHEN day - last_day >= 90 AND NOT ordered THEN 'churned' WHEN day - last_day >= 45 AND NOT ordered THEN 'at_risk' ELSE 'here' END AS state,
    ordered AND last_before IS NOT NULL AND day - last_before > 90 AS returns
FROM days;

CREATE TABLE cohorts AS SELECT customer_id, min(month) AS cohort, min(order_date) AS first_day FROM eligible GROUP BY customer_id;

CREATE TABLE months AS
SELECT m::DATE AS month, (m + INTERVAL 1 MONTH)::DATE AS until, (m + INTERVAL 1 MONTH)::DATE <= today() AS done
FROM (SELECT unnest(generate_series((SELECT min(month) FROM eligible)::TIMESTAMP, (today() - 1)::TIMESTAMP, INTERVAL 1 MONTH)) AS m);

-- By customer and month: was there at the beginning, churned, came back.
CREATE TABLE presence AS
SELECT c.customer_id, c.cohort, m.month, m.until, m.done,
    c.first_day >= m.month AND c.first_day < m.until AS is_new,
    coalesce((SELECT state <> 'churned' FROM states s WHERE s.customer_id = c.customer_id AND s.day = m.month - 1), false) AS was_there,
    (SELECT count(*) FROM states s WHERE s.customer_id = c.customer_id AND s.day >= m.month AND s.day < m.until AND s.state = 'churned'
        AND s.day - s.last_day = 90) AS churns,
    (SELECT count(*) FROM states s WHERE s.customer_id = c.customer_id AND s.day >= m.month AND s.day < m.until AND s.returns) AS returns
FROM cohorts c JOIN months m ON m.month >= c.cohort;

-- mart: fact_cohort_churn
WITH bought AS (SELECT customer_id, month, count(*) AS orders, sum(net_value) AS revenue FROM eligible GROUP BY ALL),
cells AS (
    SELECT p.cohort, p.month, p.until, p.done, count(*) AS size, count(b.customer_id) AS active, coalesce(sum(b.orders), 0) AS orders,
        coalesce(sum(b.revenue), 0) AS revenue,
        count(*) FILTER (EXISTS (FROM eligible e WHERE e.customer_id = p.customer_id AND e.month >= p.month)) AS retained,
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
        (SELECT count(*) FROM states s WHERE s.day = least(p.until, today()) - 1 AND s.state <> 'churned') AS still
    FROM presence p GROUP BY month, until, done);

-- mart: fact_customer_lifecycle
WITH own AS (
    SELECT customer_id, list_sort(list(gap))[(count(*) * 9 + 9) // 10] AS usual FROM (
        SELECT customer_id, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
        FROM (SELECT DISTINCT customer_id, order_date AS day FROM eligible))
    WHERE gap IS NOT NULL GROUP BY customer_id HAVING count(*) >= 5
), named AS (
    SELECT customer_id, day, last_day, CASE
        WHEN state <> 'here' THEN state
        WHEN last_day = first_day THEN 'new'
        WHEN bool_or(returns) OVER (PARTITION BY customer_id, last_day) THEN 'reactivated'
        ELSE 'active' END AS state
    FROM states
), changes AS (
    SELECT * FROM named QUALIFY state IS DISTINCT FROM lag(state) OVER (PARTITION BY customer_id ORDER BY day)
)
SELECT customer_id, row_number() OVER w AS state_number, state, day AS from_date, lead(day) OVER w AS to_date,
    lead(day) OVER w IS NULL AS is_current, last_day AS last_order_date, 45 AS risk_days, 90 AS churn_days, 'fixed' AS threshold_rule,
    usual AS usual_gap_days, as_of() AS as_of, '2' AS definition_version
FROM changes LEFT JOIN own USING (customer_id) WINDOW w AS (PARTITION BY customer_id ORDER BY day);

-- mart: fact_churn_points
WITH last_orders AS (
    SELECT e.order_id FROM eligible e JOIN states s ON s.customer_id = e.customer_id AND s.state = 'churned' AND s.day - s.last_day = 90
        AND s.last_day = e.order_date
    WHERE e.n = (SELECT max(n) FROM eligible x WHERE x.customer_id = e.customer_id AND x.order_date = e.order_date)
), points AS (
    SELECT e.order_id, e.n::VARCHAR AS order_number,
        (SELECT coalesce(l.product_id, '(unknown)') FROM lines l WHERE l.order_id = e.order_id GROUP BY l.product_id ORDER BY sum(gross_value) DESC, l.product_id LIMIT 1) AS product,
        (SELECT coalesce(l.category, '(unknown)') FROM lines l WHERE l.order_id = e.order_id GROUP BY l.category ORDER BY sum(gross_value) DESC, l.category LIMIT 1) AS category
    FROM eligible e
)
SELECT dimension, value, count(*) AS orders, count(l.order_id) AS churns,
    count(l.order_id) / nullif((SELECT count(*) FROM last_orders), 0) AS share_of_churns, count(l.order_id) / count(*) AS churn_per_order,
    90 AS churn_days, 'fixed' AS threshold_rule, as_of() AS as_of, '3' AS definition_version
FROM (SELECT order_id, 'order_number' AS dimension, order_number AS value FROM points
      UNION ALL SELECT order_id, 'category', coalesce(category, '(unknown)') FROM points
      UNION ALL SELECT order_id, 'product', coalesce(product, '(unknown)') FROM points) p
LEFT JOIN last_orders l USING (order_id) GROUP BY dimension, value;

----------------------------------------------------------------------------------------------------------- attribution
-- The path of an order as a list of touches in order, repeats in a row left out.
CREATE TABLE in_window AS
SELECT e.order_id, t.*, row_number() OVER (PARTITION BY e.order_id ORDER BY touched_at, source_order, touch_id) AS i
FROM eligible e JOIN touches t ON t.customer_id = e.customer_id AND t.touched_at BETWEEN e.ordered_at - INTERVAL 720 HOURS AND e.ordered_at;

CREATE TABLE steps AS
SELECT a.order_id, a.touch_id, a.touched_at, a.channel, a.campaign_id, row_number() OVER (PARTITION BY a.order_id ORDER BY a.i) AS pos
FROM in_window a LEFT JOIN in_window b ON b.order_id = a.order_id AND b.i = a.i - 1
WHERE b.i IS NULL OR (a.channel, coalesce(a.campaign_id, '')) <> (b.channel, coalesce(b.campaign_id, ''));

CREATE TABLE paths AS
SELECT list(channel ORDER BY pos) AS channels, true AS converted FROM steps GROUP BY order_id
UNION ALL
SELECT list(channel ORDER BY touched_at, source_order, touch_id), false
FROM (SELECT *, (SELECT count(*) FROM eligible e WHERE e.customer_id = t.customer_id AND e.ordered_at < t.touched_at) AS before
      FROM touches t WHERE touch_id NOT IN (SELECT touch_id FROM in_window))
GROUP BY customer_id, before;

-- python: removal_effects
CREATE TABLE shape AS
SELECT s.*, n, (SELECT count(DISTINCT channel) FROM steps x WHERE x.order_id = s.order_id) AS kinds,
    (SELECT count(*) FROM steps x WHERE x.order_id = s.order_id AND x.channel = s.channel) AS same,
    coalesce((SELECT max(pos) FROM steps x WHERE x.order_id = s.order_id AND x.channel <> 'direct'), n) AS last_real,
    epoch_us(last_at) - epoch_us(touched_at) AS micros, coalesce(r.effect, 0) AS effect
FROM steps s JOIN (SELECT order_id, count(*) AS n, max(touched_at) AS last_at FROM steps GROUP BY order_id) USING (order_id)
LEFT JOIN removal_effects r USING (channel);

CREATE TABLE shares AS
WITH raw AS (
    SELECT *, 'first' AS model, (pos = 1)::DOUBLE AS w FROM shape
    UNION ALL SELECT *, 'last', (pos = n)::DOUBLE FROM shape
    UNION ALL SELECT *, 'last_non_direct', (pos = last_real)::DOUBLE FROM shape
    UNION ALL SELECT *, 'linear', 1.0 FROM shape
    UNION ALL SELECT *, 'position', CASE WHEN n < 3 THEN 1.0 WHEN pos IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END FROM shape
    UNION ALL SELECT *, 'time_decay', pow(2, -(micros / 86400000000) / 7) FROM shape
    UNION ALL SELECT *, 'markov', effect FROM shape
    UNION ALL SELECT *, 'shapley', 1.0 / kinds / same FROM shape
), rounded AS (
    SELECT * EXCLUDE (w), (CASE WHEN model IN ('time_decay', 'markov') THEN w::DECIMAL(13, 12)::DOUBLE ELSE w END)::DECIMAL(18, 15) AS w FROM raw
), summed AS (
    SELECT *, sum(w) OVER (PARTITION BY order_id, model) AS total FROM rounded
)
SELECT order_id, model, pos, touch_id, channel, coalesce(campaign_id, '(no campaign)') AS campaign_id, total = 0 AS is_fallback,
    (CASE WHEN total = 0 THEN 1 / n::DOUBLE ELSE w::DOUBLE / total::DOUBLE END)::DECIMAL(13, 12)::DECIMAL(20, 12) AS weight
FROM summed WHERE total = 0 OR w > 0;

-- Of an order whose cost is not known in full: how much of it is in lines with a cost, what those cost and how much was kept.
CREATE TABLE by_lines AS
SELECT order_id, (sum(l.gross_value) FILTER (l.cost_value IS NOT NULL))::DECIMAL(18, 4) AS costed_gross, sum(l.gross_value)::DECIMAL(18, 4) AS gross,
    sum(l.cost_value)::DECIMAL(18, 4) AS cost, any_value(greatest(e.net_value, 0)::DECIMAL(18, 4)) AS kept,
    any_value((e.net_value + e.refund_value)::DECIMAL(18, 4)) AS sold
FROM lines l JOIN eligible e USING (order_id) WHERE e.cost_value IS NULL GROUP BY order_id;

-- 35 of 100 remain of what has no cost.
CREATE TABLE money AS
SELECT * EXCLUDE (rate, kept_cost), (CASE
        WHEN cost_value IS NOT NULL THEN net_value - cost_value
        WHEN rate IS NOT NULL THEN net_value * rate - kept_cost
        ELSE net_value * 0.35 END + coupon_value)::DECIMAL(18, 4) AS contribution
FROM (
    SELECT e.*,
        CASE WHEN gross > 0 THEN (half_away((35 * (gross * 10000)::HUGEINT + 65 * (coalesce(costed_gross, 0) * 10000)::HUGEINT) * 10000000000,
            (gross * 10000)::HUGEINT)::DECIMAL(30, 0) / 1000000000000)::DECIMAL(18, 12) END::DECIMAL(20, 12) AS rate,
        (coalesce(cost, 0) * CASE WHEN sold > 0 THEN (half_away((kept * 10000)::HUGEINT * 1000000000000, (sold * 10000)::HUGEINT)::DECIMAL(30, 0)
            / 1000000000000)::DECIMAL(18, 12) ELSE 1 END::DECIMAL(20, 12))::DECIMAL(18, 4) AS kept_cost
    FROM (SELECT * EXCLUDE (rate) FROM eligible) e LEFT JOIN by_lines USING (order_id));

-- What is left over by rounding goes to the largest share, the earliest among equals.
CREATE TABLE credits AS
WITH parts AS (
    SELECT s.*, m.customer_id, m.month, m.n, m.cost_value IS NULL AS is_estimated, m.refunded_on,
        m.net_value, m.refund_value, m.contribution, (m.net_value * weight)::DECIMAL(18, 4) AS net, (m.refund_value * weight)::DECIMAL(18, 4) AS refund,
        (m.contribution * weight)::DECIMAL(18, 4) AS contributed, row_number() OVER (PARTITION BY order_id, model ORDER BY weight DESC, pos) = 1 AS takes
    FROM shares s JOIN money m USING (order_id)
)
SELECT order_id, customer_id, month, model, pos, touch_id, channel, campaign_id, is_fallback, is_estimated, refunded_on, n,
    weight + CASE WHEN takes THEN 1 - sum(weight) OVER w ELSE 0 END AS weight,
    net + CASE WHEN takes THEN net_value - sum(net) OVER w ELSE 0 END AS net_value,
    refund + CASE WHEN takes THEN refund_value - sum(refund) OVER w ELSE 0 END AS refund_value,
    contributed + CASE WHEN takes THEN contribution - sum(contributed) OVER w ELSE 0 END AS contribution
FROM parts WINDOW w AS (PARTITION BY order_id, model)
UNION ALL
SELECT order_id, customer_id, month, model, NULL, NULL, '(unattributed)', '(unattributed)', false, cost_value IS NULL, refunded_on, n, 1, net_value,
    refund_value, contribution
FROM money, (SELECT DISTINCT model FROM shares) WHERE order_id NOT IN (SELECT order_id FROM steps);

-- mart: fact_attribution_credits
SELECT order_id, customer_id, month AS order_month, model, pos AS touch_position, touch_id, channel, campaign_id, weight, net_value, refund_value,
    refunded_on, contribution AS contribution_value, is_estimated, n = 1 AS is_first_order, is_fallback, 30 AS attribution_days,
    CASE WHEN model = 'time_decay' THEN 7 END::DECIMAL(9, 4) AS half_life_days, as_of() AS as_of, '3' AS definition_version
FROM credits;

-- mart: fact_attribution_channels
WITH named AS (SELECT DISTINCT model FROM credits), channels AS (SELECT DISTINCT channel FROM touches UNION SELECT '(unattributed)'),
total AS (SELECT sum(effect) AS effects FROM removal_effects),
touched AS (SELECT count(*) AS orders, sum(net_value) AS value FROM eligible WHERE order_id IN (SELECT order_id FROM steps))
SELECT n.model, k.channel, coalesce(sum(weight), 0) AS attributed_conversions, coalesce(sum(net_value), 0) AS attributed_net_revenue,
    CASE WHEN n.model = 'markov' THEN any_value(effect) END AS removal_effect,
    CASE WHEN n.model = 'markov' THEN any_value(effect / effects) END AS removal_share,
    CASE WHEN n.model = 'markov' THEN any_value(effect / effects * orders) END AS pooled_conversions,
    CASE WHEN n.model = 'markov' THEN any_value(effect / effects * value::DOUBLE) END AS pooled_net_revenue,
    as_of() AS as_of, '2' AS definition_version
FROM named n CROSS JOIN channels k CROSS JOIN total CROSS JOIN touched
LEFT JOIN credits c ON c.model = n.model AND c.channel = k.channel LEFT JOIN removal_effects r ON r.channel = k.channel
GROUP BY n.model, k.channel;

CREATE TABLE costs AS
SELECT campaign_id, date_trunc('month', cost_date)::DATE AS month, sum((cost * rate)::DECIMAL(18, 4)) AS spend
FROM campaign_costs c JOIN rates r ON r.currency = c.currency AND r.rate_date = c.cost_date WHERE cost_date < today() GROUP BY ALL;

-- mart: fact_campaign_spend
SELECT campaign_id, channel, cost_date AS spend_date, (cost * rate)::DECIMAL(18, 4) AS spend_value, impressions, clicks,
    platform_conversions AS platform_reported_conversions, as_of() AS as_of, '2' AS definition_version
FROM campaign_costs c JOIN rates r ON r.currency = c.currency AND r.rate_date = c.cost_date WHERE cost_date < today();

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
    SELECT c.cohort, date_diff('month', c.cohort, d.month) AS k,
        per((SELECT sum(contribution) FROM money m JOIN cohorts x USING (customer_id) WHERE x.cohort = c.cohort AND m.month <= d.month),
            (SELECT count(*) FROM cohorts x WHERE x.cohort = c.cohort))::DOUBLE AS value
    FROM (SELECT DISTINCT cohort FROM cohorts) c JOIN months d ON d.month >= c.cohort AND d.done
    WHERE EXISTS (FROM money m JOIN cohorts x USING (customer_id) WHERE x.cohort = c.cohort AND m.month = d.month)
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
)
-- Every campaign of the sample is there to gain customers.
SELECT j.campaign_id, d.name AS campaign_name, CASE WHEN j.campaign_id LIKE '(%' THEN j.campaign_id ELSE d.channel END AS channel, j.model,
    j.month AS month_start, (j.month + INTERVAL 1 MONTH)::DATE AS month_end, (j.month + INTERVAL 1 MONTH)::DATE <= today() AS is_complete,
    j.spend, j.spend AS acquisition_spend, j.coupon AS coupon_value, j.spend + j.coupon AS total_cost, j.touches, j.orders AS attributed_conversions,
    j.gained AS attributed_new_customers, j.net AS attributed_net_revenue, j.refunds AS attributed_refunds,
    j.contribution AS attributed_contribution, j.estimated AS net_revenue_without_cost,
    CASE WHEN j.spend > 0 THEN j.net::DOUBLE / j.spend::DOUBLE END AS roas,
    CASE WHEN j.spend > 0 THEN (j.contribution - (j.spend + j.coupon))::DOUBLE / (j.spend + j.coupon)::DOUBLE END AS roi,
    (SELECT sum(net_value)::DOUBLE FROM eligible e WHERE e.month = j.month) / (SELECT nullif(sum(spend)::DOUBLE, 0) FROM costs c WHERE c.month = j.month) AS mer,
    (SELECT nullif(sum(spend)::DOUBLE, 0) FROM costs c WHERE c.month = j.month)
        / (SELECT nullif(count(*), 0) FROM cohorts c WHERE c.cohort = j.month) AS blended_cac,
    j.cac, (SELECT min(k) FROM cohort_value v WHERE v.cohort = j.month AND v.value >= j.cac) AS payback_months,
    (SELECT max_by(value, k) FROM cohort_value v WHERE v.cohort = j.month) / j.cac AS ltv_to_cac,
    j.spend = 0 AND j.touches > 0 AND j.campaign_id NOT LIKE '(%' AS spend_missing, 'platform' AS spend_tz, 30 AS attribution_days,
    as_of() AS as_of, '3' AS definition_version
FROM joined j LEFT JOIN campaigns d ON d.campaign_id = j.campaign_id;

CREATE TABLE person AS
WITH assigned AS (
    SELECT campaign_id, customer_id, min_by({g: assigned_group, t: assigned_at}, (assigned_at, assigned_group, send_id)) AS a,
        count(DISTINCT assigned_group) > 1 AS moved
    FROM campaign_sends WHERE customer_id IS NOT NULL AND assigned_at < as_of() GROUP BY ALL
)
SELECT campaign_id, customer_id, a.g AS side, moved, a.t + INTERVAL 336 HOURS <= as_of() AS done,
    (SELECT count(*) FROM money m WHERE m.customer_id = p.customer_id AND m.ordered_at >= a.t AND m.ordered_at < a.t + INTERVAL 336 HOURS) AS orders,
    coalesce((SELECT sum(net_value) FROM money m WHERE m.customer_id = p.customer_id AND m.ordered_at >= a.t AND m.ordered_at < a.t + INTERVAL 336 HOURS), 0) AS revenue,
    coalesce((SELECT sum(contribution - coupon_value) FROM money m WHERE m.customer_id = p.customer_id AND m.ordered_at >= a.t AND m.ordered_at < a.t + INTERVAL 336 HOURS), 0) AS contribution
FROM assigned p;

-- python: revenue_intervals
-- mart: fact_campaign_lift
WITH sides AS (
    SELECT campaign_id, bool_and(done) AS done, count(*) FILTER (moved) AS moved,
        count(*) FILTER (side = 'treatment') AS nt, count(*) FILTER (side = 'control') AS nc,
        count(*) FILTER (side = 'treatment' AND orders > 0) AS xt, count(*) FILTER (side = 'control' AND orders > 0) AS xc,
        coalesce(sum(revenue) FILTER (side = 'treatment'), 0) AS rt, coalesce(sum(revenue) FILTER (side = 'control'), 0) AS rc,
        coalesce(sum(contribution) FILTER (side = 'treatment'), 0) AS ct, coalesce(sum(contribution) FILTER (side = 'control'), 0) AS cc
    FROM person GROUP BY campaign_id
), rates AS (
    SELECT *, xt / nullif(nt, 0) AS pt, xc / nullif(nc, 0) AS pc, least(xt, nt - xt, xc, nc - xc) >= 5 AS enough,
        (xt + 1.9208) / (nt + 3.8416) AS mt, (xc + 1.9208) / (nc + 3.8416) AS mc,
        1.96 * sqrt((xt * (1 - xt / nullif(nt, 0)) + 0.9604)) / (nt + 3.8416) AS ht, 1.96 * sqrt((xc * (1 - xc / nullif(nc, 0)) + 0.9604)) / (nc + 3.8416) AS hc
    FROM sides
), margins AS (
    SELECT *, CASE WHEN enough THEN 1.96 * sqrt(pt * (1 - pt) / nt + pc * (1 - pc) / nc) ELSE sqrt((pt - (mt - ht)) ** 2 + ((mc + hc) - pc) ** 2) END AS down,
        CASE WHEN enough THEN 1.96 * sqrt(pt * (1 - pt) / nt + pc * (1 - pc) / nc) ELSE sqrt(((mt + ht) - pt) ** 2 + (pc - (mc - hc)) ** 2) END AS up,
        CASE WHEN enough THEN nt * i.low END AS money_low, CASE WHEN enough THEN nt * i.high END AS money_high
    FROM rates LEFT JOIN revenue_intervals i USING (campaign_id)
)
-- Each campaign of the sample has one treatment.
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
    SELECT campaign_id, bool_and(t + INTERVAL 336 HOURS <= as_of()) AS done, count(*) AS customers,
        sum((SELECT count(*) FROM eligible e WHERE e.customer_id = f.customer_id AND ordered_at >= t - INTERVAL 336 HOURS AND ordered_at < t)) AS before,
        sum((SELECT count(*) FROM eligible e WHERE e.customer_id = f.customer_id AND ordered_at >= t AND ordered_at < t + INTERVAL 336 HOURS)) AS after,
        sum((SELECT coalesce(sum(net_value), 0) FROM eligible e WHERE e.customer_id = f.customer_id AND ordered_at >= t - INTERVAL 336 HOURS AND ordered_at < t)) AS rb,
        sum((SELECT coalesce(sum(net_value), 0) FROM eligible e WHERE e.customer_id = f.customer_id AND ordered_at >= t AND ordered_at < t + INTERVAL 336 HOURS)) AS ra
    FROM first_touch f GROUP BY campaign_id
)
SELECT s.campaign_id, k.name AS campaign_name, done AS is_complete, customers, before AS orders_before, after AS orders_after, rb AS revenue_before,
    ra AS revenue_after, (after - before) / nullif(before, 0) AS orders_change, (ra - rb)::DOUBLE / nullif(rb::DOUBLE, 0) AS revenue_change,
    14 AS window_days, false AS is_causal, 'before and after, no control group: not causal' AS method, as_of() AS as_of, '2' AS definition_version
FROM sums s LEFT JOIN campaigns k USING (campaign_id);
