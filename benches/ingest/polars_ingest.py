"""The work of `pipelines/ingest.yaml` in Polars: decode, clean, reject, deduplicate, write Parquet.

Usage: polars_ingest.py RAW OUT THREADS
Prints one JSON object with the rows kept and rejected by source.

Polars gives a whole file up for one line that is no JSON, so lines are read as texts, and those that cannot be decoded
are set aside before the others are.
"""

import json
import os
import sys
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = sys.argv[3]

import polars as pl  # noqa: E402

MONEY = pl.Decimal(18, 4)
WEB_RECORD = pl.Struct(
    {name: pl.String for name in ("event_id", "ts", "received_at", "type", "session_id", "cookie", "user_id", "email", "url", "sku", "order_id")}
    | {"utm": pl.Struct({"source": pl.String, "medium": pl.String, "campaign": pl.String}), "referrer": pl.String}
    | {"device": pl.Struct({"type": pl.String, "os": pl.String, "browser": pl.String}), "cart_value": pl.String}
)
APP_RECORD = pl.Struct(
    {name: pl.String for name in ("event_id", "ts", "received_at", "type", "session_id")}
    | {"device": pl.Struct({"id": pl.String, "os": pl.String})}
    | {name: pl.String for name in ("user_id", "phone", "sku", "order_id", "campaign_id")}
    | {"app": pl.Struct({"version": pl.String})}
)
STORE_COLUMNS = ["receipt_id", "line_no", "store_id", "sold_at", "kind", "original_receipt_id", "loyalty_card", "phone", "sku", "quantity", "unit_price", "discount", "amount"]


def field(record, path):
    """Returns a field of a decoded record without blanks around it; tokens that mean nothing are NULL."""
    value = pl.col(record) if record else None
    for key in path.split("."):
        value = pl.col(key) if value is None else value.struct.field(key)
    text = value.str.strip_chars()
    return pl.when(text.is_in(["", "-", "null", "N/A"])).then(None).otherwise(text)


def phone(text):
    digits = text.str.replace_all("[^0-9+]", "")
    is_mobile = digits.str.contains(r"^(\+86|0086|86)?1[3-9][0-9]{9}$")
    return pl.when(is_mobile).then(pl.lit("+86") + digits.str.tail(11))


def rfc3339(text):
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)


def unix_ms(text):
    return pl.from_epoch(text.cast(pl.Int64, strict=False), "ms").dt.replace_time_zone("UTC")


def money(text):
    return text.str.replace_all("[¥￥, ]", "").cast(MONEY, strict=False)


def rejects(*rules):
    """Names the first rule that a row breaks, or none."""
    first = pl
    for name, broken in rules:
        first = first.when(broken.fill_null(False)).then(pl.lit(name))
    return first.otherwise(None).alias("_reject")


def misread(text, value):
    return text.is_not_null() & value.is_null()


def lines(pattern, record):
    """Decodes the lines that are sound and have an id; all others are rejects either way."""
    # One column as wide as the line: its separator is a character that JSON does not hold. A byte that is no UTF-8
    # would end `scan_lines`; here it becomes a replacement character, and its line a reject.
    text = pl.scan_csv(
        pattern, has_header=False, schema={"line": pl.String}, separator="\x1f", quote_char=None, encoding="utf8-lossy",
        include_file_paths="_object", truncate_ragged_lines=True,
    )
    line = pl.col("line")
    sound = text.filter(line.str.json_path_match("$.event_id").is_not_null() & ~line.str.contains("\ufffd", literal=True))
    return sound.select(pl.col("line").str.json_decode(record).alias("r"), "_object")


def web(raw):
    r = lambda path: field("r", path)  # noqa: E731
    return lines(f"{raw}/web/dt=*/*.ndjson.gz", WEB_RECORD).select(
        r("event_id").alias("event_id"), rfc3339(r("ts")).alias("occurred_at"), rfc3339(r("received_at")).alias("received_at"),
        r("type").alias("event_type"), r("session_id").alias("session_id"), r("cookie").str.to_lowercase().alias("cookie_id"),
        r("user_id").str.to_lowercase().alias("user_id"), r("email").str.to_lowercase().alias("email"), r("url").alias("url"),
        r("sku").str.to_uppercase().alias("sku"), r("order_id").alias("order_id"),
        r("utm.source").str.to_lowercase().alias("utm_source"), r("utm.medium").str.to_lowercase().alias("utm_medium"),
        r("utm.campaign").str.to_lowercase().alias("utm_campaign"), r("referrer").alias("referrer"),
        r("device.type").str.to_lowercase().alias("device_type"), r("device.os").alias("device_os"), r("device.browser").alias("browser"),
        r("cart_value").cast(MONEY, strict=False).alias("cart_value"), "_object",
        rejects(
            ("required", r("event_id").is_null() | r("session_id").is_null()),
            ("occurred_at", rfc3339(r("ts")).is_null()),
            ("event_type", ~r("type").is_in(["page_view", "product_view", "add_to_cart", "checkout"]).fill_null(False)),
            ("email", ~r("email").str.contains(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")),
            ("received_at", misread(r("received_at"), rfc3339(r("received_at")))),
            ("cart_value", misread(r("cart_value"), r("cart_value").cast(MONEY, strict=False)) | (r("cart_value").cast(MONEY, strict=False) < 0)),
        ),
    )


def app(raw):
    r = lambda path: field("r", path)  # noqa: E731
    return lines(f"{raw}/app/dt=*/*.ndjson.gz", APP_RECORD).select(
        r("event_id").alias("event_id"), unix_ms(r("ts")).alias("occurred_at"), unix_ms(r("received_at")).alias("received_at"),
        r("type").alias("event_type"), r("session_id").alias("session_id"), r("device.id").str.to_lowercase().alias("device_id"),
        r("user_id").str.to_lowercase().alias("user_id"), phone(r("phone")).alias("phone"), r("sku").str.to_uppercase().alias("sku"),
        r("order_id").alias("order_id"), r("campaign_id").str.to_lowercase().alias("campaign_id"),
        r("app.version").alias("app_version"), r("device.os").alias("device_os"), "_object",
        rejects(
            ("required", r("event_id").is_null() | r("session_id").is_null()),
            ("occurred_at", unix_ms(r("ts")).is_null()),
            ("event_type", ~r("type").is_in(["app_open", "product_view", "add_to_cart", "checkout"]).fill_null(False)),
            ("phone", misread(r("phone"), phone(r("phone")))),
            ("received_at", misread(r("received_at"), unix_ms(r("received_at")))),
        ),
    )


def store(raw):
    c = lambda path: field(None, path)  # noqa: E731
    schema = dict.fromkeys(STORE_COLUMNS, pl.String)
    sold_at = c("sold_at").str.to_datetime("%d/%m/%Y %H:%M", time_unit="us", strict=False)
    amount, line_no, quantity = money(c("amount")), c("line_no").cast(pl.Int64, strict=False), c("quantity").cast(pl.Int64, strict=False)
    # Polars has no way to tell a row of too many fields: it is cut and kept, which `run.py` knows.
    rows = pl.scan_csv(
        f"{raw}/store/dt=*/*.csv", schema=schema, truncate_ragged_lines=True, include_file_paths="_object", encoding="utf8-lossy",
    )
    return rows.select(
        c("receipt_id").alias("receipt_id"), line_no.alias("line_no"), c("store_id").alias("store_id"),
        sold_at.dt.replace_time_zone("Asia/Shanghai").dt.convert_time_zone("UTC").alias("sold_at"), c("kind").str.to_lowercase().alias("kind"),
        c("original_receipt_id").alias("original_receipt_id"), c("loyalty_card").str.to_uppercase().alias("loyalty_card"),
        phone(c("phone")).alias("phone"), c("sku").str.to_uppercase().alias("sku"), quantity.alias("quantity"),
        money(c("unit_price")).alias("unit_price"), money(c("discount")).fill_null(0).alias("discount"), amount.alias("amount"), "_object",
        rejects(
            ("required", c("receipt_id").is_null() | c("store_id").is_null() | c("sku").is_null()),
            ("line_no", (line_no < 1).fill_null(True)),
            ("sold_at", sold_at.is_null()),
            ("kind", ~c("kind").str.to_lowercase().is_in(["sale", "return"]).fill_null(False)),
            ("phone", misread(c("phone"), phone(c("phone")))),
            ("quantity", (quantity == 0).fill_null(True)),
            ("unit_price", (money(c("unit_price")) < 0).fill_null(True)),
            ("discount", misread(c("discount"), money(c("discount")))),
            ("amount", amount.is_null()),
            ("sign", ((c("kind").str.to_lowercase() == "sale") != (amount >= 0)) & (amount != 0)),
        ),
    )


SOURCES = {
    "web_events": (web, ["event_id"], "received_at"),
    "app_events": (app, ["event_id"], "received_at"),
    "store_sales": (store, ["receipt_id", "line_no"], "sold_at"),
}


def main(raw: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    told = {}
    for name, (source, key, order) in SOURCES.items():
        cleaned = source(raw).collect()
        rejected = cleaned.filter(pl.col("_reject").is_not_null())
        rejected.write_parquet(out / f"{name}_rejects.parquet")
        sound = cleaned.lazy().filter(pl.col("_reject").is_null()).drop("_reject")
        kept = sound.sort(order, "_object", nulls_last=False).unique(key, keep="last").collect()
        kept.write_parquet(out / f"{name}.parquet", compression="lz4")
        told[name] = {"kept": kept.height, "rejected_after_decoding": rejected.height}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
