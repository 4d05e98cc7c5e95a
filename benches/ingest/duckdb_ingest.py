"""The work of `pipelines/ingest.yaml` as a DuckDB script: decode, clean, reject, deduplicate, write Parquet.

Usage: duckdb_ingest.py RAW OUT THREADS
Prints one JSON object with the rows kept and rejected by source.
"""

import json
import sys
from pathlib import Path

import duckdb

MACROS = r"""
CREATE MACRO txt(x) AS CASE WHEN trim(x) IN ('', '-', 'null', 'N/A') THEN NULL ELSE trim(x) END;
CREATE MACRO digits(x) AS regexp_replace(x, '[^0-9+]', '', 'g');
CREATE MACRO cn_phone(x) AS CASE
    WHEN regexp_full_match(digits(x), '(\+86|0086|86)?1[3-9][0-9]{9}') THEN '+86' || right(digits(x), 11)
    END;
CREATE MACRO good_email(x) AS regexp_full_match(x, '[^@\s]+@[^@\s]+\.[^@\s]+');
CREATE MACRO money(x) AS try_cast(x AS DECIMAL(18, 4));
CREATE MACRO clean_money(x) AS try_cast(regexp_replace(x, '[¥￥, ]', '', 'g') AS DECIMAL(18, 4));
"""

WEB_COLUMNS = (
    "{event_id: 'VARCHAR', ts: 'VARCHAR', received_at: 'VARCHAR', type: 'VARCHAR', session_id: 'VARCHAR', "
    "cookie: 'VARCHAR', user_id: 'VARCHAR', email: 'VARCHAR', url: 'VARCHAR', sku: 'VARCHAR', order_id: 'VARCHAR', "
    "utm: 'STRUCT(source VARCHAR, medium VARCHAR, campaign VARCHAR)', referrer: 'VARCHAR', "
    "device: 'STRUCT(type VARCHAR, os VARCHAR, browser VARCHAR)', cart_value: 'VARCHAR'}"
)
WEB = f"""
SELECT txt(event_id) AS event_id, try_cast(txt(ts) AS TIMESTAMPTZ) AS occurred_at,
    try_cast(txt(received_at) AS TIMESTAMPTZ) AS received_at, txt(type) AS event_type, txt(session_id) AS session_id,
    lower(txt(cookie)) AS cookie_id, lower(txt(user_id)) AS user_id, lower(txt(email)) AS email, txt(url) AS url,
    upper(txt(sku)) AS sku, txt(order_id) AS order_id, lower(txt(utm.source)) AS utm_source,
    lower(txt(utm.medium)) AS utm_medium, lower(txt(utm.campaign)) AS utm_campaign, txt(referrer) AS referrer,
    lower(txt(device.type)) AS device_type, txt(device.os) AS device_os, txt(device.browser) AS browser,
    money(txt(cart_value)) AS cart_value, filename AS _object,
    CASE
        WHEN txt(event_id) IS NULL OR txt(session_id) IS NULL THEN 'required'
        WHEN try_cast(txt(ts) AS TIMESTAMPTZ) IS NULL OR NOT regexp_matches(ts, '([+-][0-9]{{2}}:[0-9]{{2}}|Z)$') THEN 'occurred_at'
        WHEN txt(type) IS NULL OR txt(type) NOT IN ('page_view', 'product_view', 'add_to_cart', 'checkout') THEN 'event_type'
        WHEN txt(email) IS NOT NULL AND NOT good_email(txt(email)) THEN 'email'
        WHEN txt(received_at) IS NOT NULL AND try_cast(txt(received_at) AS TIMESTAMPTZ) IS NULL THEN 'received_at'
        WHEN txt(cart_value) IS NOT NULL AND coalesce(money(txt(cart_value)) < 0, true) THEN 'cart_value'
    END AS _reject
FROM read_json($path, format = 'newline_delimited', columns = {WEB_COLUMNS}, ignore_errors = true, filename = true)
"""
APP_COLUMNS = (
    "{event_id: 'VARCHAR', ts: 'VARCHAR', received_at: 'VARCHAR', type: 'VARCHAR', session_id: 'VARCHAR', "
    "device: 'STRUCT(id VARCHAR, os VARCHAR)', user_id: 'VARCHAR', phone: 'VARCHAR', sku: 'VARCHAR', "
    "order_id: 'VARCHAR', campaign_id: 'VARCHAR', app: 'STRUCT(version VARCHAR)'}"
)
APP = f"""
SELECT txt(event_id) AS event_id, make_timestamptz(try_cast(txt(ts) AS BIGINT) * 1000) AS occurred_at,
    make_timestamptz(try_cast(txt(received_at) AS BIGINT) * 1000) AS received_at, txt(type) AS event_type,
    txt(session_id) AS session_id, lower(txt(device.id)) AS device_id, lower(txt(user_id)) AS user_id,
    cn_phone(txt(phone)) AS phone, upper(txt(sku)) AS sku, txt(order_id) AS order_id,
    lower(txt(campaign_id)) AS campaign_id, txt(app.version) AS app_version, txt(device.os) AS device_os,
    filename AS _object,
    CASE
        WHEN txt(event_id) IS NULL OR txt(session_id) IS NULL THEN 'required'
        WHEN try_cast(txt(ts) AS BIGINT) IS NULL THEN 'occurred_at'
        WHEN txt(type) IS NULL OR txt(type) NOT IN ('app_open', 'product_view', 'add_to_cart', 'checkout') THEN 'event_type'
        WHEN txt(phone) IS NOT NULL AND cn_phone(txt(phone)) IS NULL THEN 'phone'
        WHEN txt(received_at) IS NOT NULL AND try_cast(txt(received_at) AS BIGINT) IS NULL THEN 'received_at'
    END AS _reject
FROM read_json($path, format = 'newline_delimited', columns = {APP_COLUMNS}, ignore_errors = true, filename = true)
"""
STORE = """
SELECT txt(receipt_id) AS receipt_id, try_cast(txt(line_no) AS BIGINT) AS line_no, txt(store_id) AS store_id,
    try_strptime(txt(sold_at), '%d/%m/%Y %H:%M') AT TIME ZONE 'Asia/Shanghai' AS sold_at, lower(txt(kind)) AS kind,
    txt(original_receipt_id) AS original_receipt_id, upper(txt(loyalty_card)) AS loyalty_card,
    cn_phone(txt(phone)) AS phone, upper(txt(sku)) AS sku, try_cast(txt(quantity) AS BIGINT) AS quantity,
    clean_money(txt(unit_price)) AS unit_price, coalesce(clean_money(txt(discount)), 0) AS discount,
    clean_money(txt(amount)) AS amount, filename AS _object,
    CASE
        WHEN txt(receipt_id) IS NULL OR txt(store_id) IS NULL OR txt(sku) IS NULL THEN 'required'
        WHEN try_cast(txt(line_no) AS BIGINT) IS NULL OR try_cast(txt(line_no) AS BIGINT) < 1 THEN 'line_no'
        WHEN try_strptime(txt(sold_at), '%d/%m/%Y %H:%M') IS NULL THEN 'sold_at'
        WHEN txt(kind) IS NULL OR lower(txt(kind)) NOT IN ('sale', 'return') THEN 'kind'
        WHEN txt(phone) IS NOT NULL AND cn_phone(txt(phone)) IS NULL THEN 'phone'
        WHEN coalesce(try_cast(txt(quantity) AS BIGINT), 0) = 0 THEN 'quantity'
        WHEN clean_money(txt(unit_price)) IS NULL OR clean_money(txt(unit_price)) < 0 THEN 'unit_price'
        WHEN txt(discount) IS NOT NULL AND clean_money(txt(discount)) IS NULL THEN 'discount'
        WHEN clean_money(txt(amount)) IS NULL THEN 'amount'
        WHEN (lower(txt(kind)) = 'sale') <> (clean_money(txt(amount)) >= 0) AND clean_money(txt(amount)) <> 0 THEN 'sign'
    END AS _reject
FROM read_csv($path, header = true, all_varchar = true, ignore_errors = true, filename = true, auto_detect = false,
    delim = ',', quote = '"', columns = {'receipt_id': 'VARCHAR', 'line_no': 'VARCHAR', 'store_id': 'VARCHAR',
    'sold_at': 'VARCHAR', 'kind': 'VARCHAR', 'original_receipt_id': 'VARCHAR', 'loyalty_card': 'VARCHAR',
    'phone': 'VARCHAR', 'sku': 'VARCHAR', 'quantity': 'VARCHAR', 'unit_price': 'VARCHAR', 'discount': 'VARCHAR',
    'amount': 'VARCHAR'})
"""
SOURCES = {
    "web_events": ("web/dt=*/*.ndjson.gz", WEB, "event_id", "received_at"),
    "app_events": ("app/dt=*/*.ndjson.gz", APP, "event_id", "received_at"),
    "store_sales": ("store/dt=*/*.csv", STORE, "receipt_id, line_no", "sold_at"),
}


def main(raw: str, out: Path, threads: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(threads)}; SET TimeZone = 'Asia/Shanghai'; SET preserve_insertion_order = false")
    for statement in filter(str.strip, MACROS.split(";\n")):
        connection.execute(statement)
    told = {}
    for name, (pattern, select, key, order) in SOURCES.items():
        connection.execute(f"CREATE TEMP TABLE cleaned AS {select}", {"path": f"{raw}/{pattern}"})
        rejected = connection.execute(
            f"COPY (FROM cleaned WHERE _reject IS NOT NULL) TO '{out}/{name}_rejects.parquet'"
        ).fetchone()[0]
        kept = connection.execute(
            f"COPY (SELECT * EXCLUDE (_reject) FROM cleaned WHERE _reject IS NULL QUALIFY row_number() OVER "
            f"(PARTITION BY {key} ORDER BY {order} DESC NULLS LAST, _object DESC) = 1) "
            f"TO '{out}/{name}.parquet' (COMPRESSION lz4_raw)"
        ).fetchone()[0]
        connection.execute("DROP TABLE cleaned")
        told[name] = {"kept": kept, "rejected_after_decoding": rejected}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
