"""A night in Polars, lazy: `polars_night.py RAW OUT THREADS`.

Reads and cleans with the expressions of `benches/ingest/polars_ingest.py`, and computes nine marts of 22: orders and their lines,
touches, products, campaigns, RFM segments, cohort churn, credits and campaign returns. Amounts are whole numbers of ten-thousandths, since Polars rounds products of
decimals in its own way. What more than one query needs is collected once.
Prints one JSON object with the seconds of each step.
"""

import glob
import io
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "ingest")]

import polars_ingest as ingest  # noqa: E402 - it sets the number of threads before Polars is loaded
import polars as pl  # noqa: E402

from removal import removal_effects  # noqa: E402

ZONE = "Asia/Shanghai"
AS_OF = pl.lit("2026-01-31").str.to_datetime("%Y-%m-%d", time_unit="us").dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")
TODAY = pl.lit("2026-01-31").str.to_date()
WHOLE = pl.Int128
CHURN_DAYS = 90
# The marts that have been defined anew twice.
THIRD = ("fact_order_lines", "fact_attribution_credits", "fact_campaign_roi")
BLOCKED = [
    "anonymous", "guest", "undefined", "unknown", "0", "test@test.com", "noreply@example.com", "+8613800138000", "LC00000000",
    "00000000-0000-0000-0000-000000000000",
]
SEGMENTS = [
    ["Hibernating", "Hibernating", "At risk", "At risk", "Can't lose them"],
    ["Hibernating", "Hibernating", "At risk", "At risk", "Can't lose them"],
    ["About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"],
    ["Promising", "Potential loyalist", "Potential loyalist", "Loyal", "Loyal"],
    ["New", "Potential loyalist", "Potential loyalist", "Champions", "Champions"],
]
c = pl.col


def texts(*names):
    return {name: pl.String for name in names}


ORDER = pl.Struct(
    texts("order_id", "placed_at", "updated_at", "channel", "status", "currency", "items_amount", "discount_amount", "tax_amount", "shipping_amount",
          "refund_amount", "refunded_at", "user_id", "email", "phone", "cookie", "device_id")
    | {"coupon": pl.Struct(texts("code", "campaign_id")), "city": pl.String}
)
LINE = pl.Struct(texts("order_id", "line_no", "placed_at", "sku", "quantity", "unit_price"))
SEND = pl.Struct(texts("send_id", "campaign_id", "channel", "user_id", "email", "group", "assigned_at", "sent_at", "opened_at", "clicked_at", "updated_at"))


# ---------------------------------------------------------------------------------------------------------------- clean


def day(moment):
    return moment.dt.convert_time_zone(ZONE).dt.date()


def month(date):
    return date.dt.truncate("1mo")


def wall(text):
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")


def is_email(text):
    return text.str.contains(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")


def ndjson(pattern, record, key):
    """Decodes the lines that are sound: Polars gives a whole file up for one that is not."""
    text = pl.scan_csv(
        pattern, has_header=False, schema={"line": pl.String}, separator="\x1f", quote_char=None, encoding="utf8-lossy", include_file_paths="_object",
        truncate_ragged_lines=True,
    )
    sound = text.filter(c("line").str.json_path_match(f"$.{key}").is_not_null() & ~c("line").str.contains("\ufffd", literal=True))
    return sound.select(c("line").str.json_decode(record).alias("r"), "_object")


def table(pattern, *columns):
    """Reads CSV as texts. Polars cuts a row of too many fields and keeps it, so lines are counted before they are parsed."""
    frames = []
    for path in sorted(glob.glob(pattern)):
        text = pl.scan_csv(path, has_header=False, skip_rows=1, schema={"line": pl.String}, separator="\x1f", quote_char=None, encoding="utf8-lossy")
        commas = c("line").str.replace_all(r'"[^"]*"', "").str.count_matches(",", literal=True)
        sound = text.filter((commas == len(columns) - 1) & ~c("line").str.contains("\ufffd", literal=True)).collect()["line"]
        parsed = pl.read_csv(io.BytesIO("\n".join(sound).encode()), has_header=False, schema=texts(*columns)) if len(sound) else pl.DataFrame(schema=texts(*columns))
        frames.append(parsed.lazy().with_columns(_object=pl.lit(path)))
    return pl.concat(frames)


def newest(rows, key, *order):
    """Keeps the newest copy of each row."""
    return rows.sort(*order, "_object", nulls_last=False).unique(key, keep="last")


def web(raw):
    rows = ingest.web(raw).filter(c("_reject").is_null() & c("email").is_null().or_(is_email(c("email"))))
    return rows.drop("_reject").collect().lazy()


def app(raw):
    return ingest.app(raw).filter(c("_reject").is_null()).drop("_reject").collect().lazy()


def store(raw):
    pattern = f"{raw}/store/dt=*/*.csv"
    surplus = table(pattern, *ingest.STORE_COLUMNS)
    f = lambda name: ingest.field(None, name)  # noqa: E731
    sold_at = f("sold_at").str.to_datetime("%d/%m/%Y %H:%M", time_unit="us", strict=False).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")
    rows = surplus.select(
        f("receipt_id").alias("receipt_id"), f("line_no").cast(pl.Int64, strict=False).alias("line_no"), f("store_id").alias("store_id"),
        sold_at.alias("sold_at"), f("kind").str.to_lowercase().alias("kind"), f("original_receipt_id").alias("original_receipt_id"),
        f("loyalty_card").str.to_uppercase().alias("loyalty_card"), ingest.phone(f("phone")).alias("phone"), f("phone").alias("_phone"),
        f("sku").str.to_uppercase().alias("sku"), f("quantity").cast(pl.Int64, strict=False).alias("quantity"),
        ingest.money(f("unit_price")).alias("unit_price"), ingest.money(f("discount").fill_null("0")).alias("discount"),
        ingest.money(f("amount")).alias("amount"), "_object",
    )
    sound = rows.filter(
        c("receipt_id").is_not_null() & c("store_id").is_not_null() & c("sku").is_not_null() & (c("line_no") >= 1) & c("sold_at").is_not_null()
        & (c("quantity") != 0) & (c("unit_price") >= 0) & c("discount").is_not_null() & (c("_phone").is_null() | c("phone").is_not_null())
        & (((c("kind") == "sale") & (c("amount") >= 0)) | ((c("kind") == "return") & (c("amount") <= 0)))
    )
    return sound.drop("_phone").collect().lazy()


def orders(raw):
    r = lambda path: ingest.field("r", path)  # noqa: E731
    amount = lambda name: r(name).fill_null("0").cast(ingest.MONEY, strict=False).alias(name)  # noqa: E731
    rows = ndjson(f"{raw}/orders/dt=*/*.ndjson.gz", ORDER, "order_id").select(
        r("order_id").alias("order_id"), ingest.rfc3339(r("placed_at")).alias("placed_at"), ingest.rfc3339(r("updated_at")).alias("updated_at"),
        r("channel").alias("channel"), r("status").str.to_lowercase().alias("status"), r("currency").str.to_uppercase().alias("currency"),
        r("items_amount").cast(ingest.MONEY, strict=False).alias("items_amount"), amount("discount_amount"), amount("tax_amount"),
        amount("shipping_amount"), amount("refund_amount"), ingest.rfc3339(r("refunded_at")).alias("refunded_at"),
        r("user_id").str.to_lowercase().alias("user_id"), r("email").str.to_lowercase().alias("email"), ingest.phone(r("phone")).alias("phone"),
        r("phone").alias("_phone"), r("cookie").str.to_lowercase().alias("cookie_id"), r("device_id").str.to_lowercase().alias("device_id"),
        r("coupon.code").alias("coupon_code"), r("coupon.campaign_id").str.to_lowercase().alias("coupon_campaign_id"), r("city").alias("city"), "_object",
    )
    sound = rows.filter(
        c("order_id").is_not_null() & c("placed_at").is_not_null() & c("updated_at").is_not_null() & c("channel").is_in(["web", "app"])
        & c("status").is_in(["paid", "shipped", "cancelled", "refunded", "test"]) & c("currency").is_in(["CNY", "USD", "EUR", "HKD"])
        & pl.all_horizontal(c(f"{name}_amount") >= 0 for name in ("items", "discount", "tax", "shipping", "refund"))
        & (c("refund_amount") <= c("items_amount")) & (c("email").is_null() | is_email(c("email"))) & (c("_phone").is_null() | c("phone").is_not_null())
    )
    return sound.drop("_phone").collect().lazy()


def order_lines(raw):
    r = lambda path: ingest.field("r", path)  # noqa: E731
    rows = ndjson(f"{raw}/order_lines/dt=*/*.ndjson.gz", LINE, "order_id").select(
        r("order_id").alias("order_id"), r("line_no").cast(pl.Int64, strict=False).alias("line_no"), ingest.rfc3339(r("placed_at")).alias("placed_at"),
        r("sku").str.to_uppercase().alias("sku"), r("quantity").cast(pl.Int64, strict=False).alias("quantity"),
        r("unit_price").cast(ingest.MONEY, strict=False).alias("unit_price"), "_object",
    )
    sound = rows.filter(
        c("order_id").is_not_null() & (c("line_no") >= 1) & c("placed_at").is_not_null() & c("sku").is_not_null() & (c("quantity") > 0) & (c("unit_price") >= 0)
    )
    return newest(sound, ["order_id", "line_no"], "placed_at").collect().lazy()


def sends(raw):
    r = lambda path: ingest.field("r", path)  # noqa: E731
    time_of = lambda name: ingest.rfc3339(r(name)).alias(name)  # noqa: E731
    rows = ndjson(f"{raw}/sends/dt=*/*.ndjson.gz", SEND, "send_id").select(
        r("send_id").alias("send_id"), r("campaign_id").str.to_lowercase().alias("campaign_id"), r("channel").str.to_lowercase().alias("channel"),
        r("user_id").str.to_lowercase().alias("user_id"), r("email").str.to_lowercase().alias("email"), r("group").str.to_lowercase().alias("assigned_group"),
        *map(time_of, ("assigned_at", "sent_at", "opened_at", "clicked_at", "updated_at")), "_object",
    )
    sound = rows.filter(
        c("send_id").is_not_null() & c("campaign_id").is_not_null() & c("channel").is_in(["email", "sms", "push"])
        & c("assigned_group").is_in(["treatment", "control"]) & c("assigned_at").is_not_null() & c("updated_at").is_not_null()
        & (c("email").is_null() | is_email(c("email")))
    )
    return sound.collect().lazy()


def crm(raw):
    f = lambda name: ingest.field(None, name)  # noqa: E731
    born = pl.coalesce(f("birthday").str.to_date("%Y-%m-%d", strict=False), f("birthday").str.to_date("%Y/%m/%d", strict=False))
    truth = lambda name: (f(name).str.to_lowercase() == "true").fill_null(False).alias(name)  # noqa: E731
    rows = table(
        f"{raw}/crm/dt=*/*.csv", "user_id", "name", "email", "second_email", "phone", "loyalty_card", "birthday", "gender", "city", "consent_email",
        "consent_sms", "created_at", "updated_at",
    ).select(
        f("user_id").str.to_lowercase().alias("user_id"), f("name").alias("name"), f("email").str.to_lowercase().alias("email"),
        f("second_email").str.to_lowercase().alias("second_email"), ingest.phone(f("phone")).alias("phone"), f("phone").alias("_phone"),
        f("loyalty_card").str.to_uppercase().alias("loyalty_card"), born.alias("birthday"), f("birthday").alias("_birthday"),
        f("gender").str.to_lowercase().alias("gender"), f("city").alias("city"), truth("consent_email"), truth("consent_sms"),
        wall(f("created_at")).alias("created_at"), wall(f("updated_at")).alias("updated_at"), "_object",
    )
    sound = rows.filter(
        c("user_id").is_not_null() & c("created_at").is_not_null() & c("updated_at").is_not_null() & (c("email").is_null() | is_email(c("email")))
        & (c("second_email").is_null() | is_email(c("second_email"))) & (c("_phone").is_null() | c("phone").is_not_null())
        & (c("_birthday").is_null() | c("birthday").is_not_null()) & (c("gender").is_null() | c("gender").is_in(["f", "m", "x"]))
    )
    return sound.drop("_phone", "_birthday").collect().lazy()


def small_tables(raw):
    f = lambda name: ingest.field(None, name).alias(name)  # noqa: E731
    date = lambda name: f(name).str.to_date("%Y-%m-%d", strict=False)  # noqa: E731
    campaigns = table(f"{raw}/campaigns/dt=*/*.csv", "campaign_id", "name", "channel", "start_date", "end_date", "budget", "updated_at").select(
        f("campaign_id").str.to_lowercase(), f("name"), f("channel").str.to_lowercase(), date("start_date"), date("end_date"), ingest.money(f("budget")),
        wall(f("updated_at")), "_object",
    )
    costs = table(
        f"{raw}/campaign_costs/dt=*/*.csv", "date", "campaign_id", "channel", "currency", "cost", "impressions", "clicks", "platform_conversions", "reported_at"
    ).select(
        date("date").alias("cost_date"), f("campaign_id").str.to_lowercase(), f("channel").str.to_lowercase(), f("currency").str.to_uppercase(),
        ingest.money(f("cost")), *(f(name).cast(pl.Int64, strict=False) for name in ("impressions", "clicks", "platform_conversions")),
        wall(f("reported_at")), "_object",
    ).filter(c("cost_date").is_not_null() & c("campaign_id").is_not_null() & c("currency").is_in(["CNY", "USD", "EUR", "HKD"]) & (c("cost") >= 0) & c("reported_at").is_not_null())
    products = table(f"{raw}/products/dt=*/*.csv", "sku", "name", "category", "unit_cost", "price", "updated_at").select(
        f("sku").str.to_uppercase(), f("name"), f("category"), ingest.money(f("unit_cost")), ingest.money(f("price")), wall(f("updated_at")), "_object",
    )
    rates = table(f"{raw}/exchange_rates/dt=*/*.csv", "date", "currency", "rate").select(
        date("date").alias("rate_date"), f("currency").str.to_uppercase(), f("rate").cast(pl.Decimal(18, 8), strict=False), "_object",
    )
    return {
        "campaigns": newest(campaigns, ["campaign_id"], "updated_at").collect().lazy(),
        "campaign_costs": newest(costs, ["cost_date", "campaign_id"], "reported_at").collect().lazy(),
        "products": newest(products, ["sku"], "updated_at").collect().lazy(),
        "exchange_rates": newest(rates, ["rate_date", "currency"]).collect().lazy(),
    }


# ------------------------------------------------------------------------------------------------------------- identity


def node(kind, column=None):
    value = c(column or kind)
    return pl.when(value.is_in(BLOCKED).not_()).then((pl.lit(f"{kind}:") + value).hash())


STRONG = pl.coalesce(node("user_id"), node("email"), node("phone"), node("loyalty_card"))


def components(links):
    """Gives all that is linked the least label among its members."""
    ends = pl.concat([links.select("a", "b"), links.select(a="b", b="a")]).unique()
    labels = ends.group_by("a").agg(c("b").min()).select(id="a", label=pl.min_horizontal("a", "b"))
    while True:
        near = ends.join(labels, left_on="b", right_on="id").group_by("a").agg(c("label").min().alias("near"))
        spread = labels.join(near, left_on="id", right_on="a").select("id", label=pl.min_horizontal("label", "near"), changed=c("near") < c("label"))
        if not spread["changed"].any():
            return labels
        labels = spread.select("id", "label")


def identity(web_rows, app_rows, order_rows, store_rows, send_rows, crm_rows):
    """Returns which customer each identifier belongs to, and since when it was seen."""
    def seen(rows, time_column, *columns):
        return rows.group_by(columns).agg(c(time_column).min().alias("moment"))

    together = pl.concat([
        seen(web_rows, "occurred_at", "cookie_id", "user_id", "email"), seen(app_rows, "occurred_at", "device_id", "user_id", "phone"),
        seen(order_rows, "placed_at", "user_id", "email", "phone", "cookie_id", "device_id"), seen(store_rows, "sold_at", "loyalty_card", "phone"),
        seen(send_rows, "assigned_at", "user_id", "email"), seen(crm_rows, "created_at", "user_id", "email", "phone", "loyalty_card"),
    ], how="diagonal").with_columns(
        u=node("user_id"), e=node("email"), p=node("phone"), l=node("loyalty_card"), d=node("device", "device_id"), k=node("cookie", "cookie_id")
    ).with_columns(s=pl.coalesce("u", "e", "p", "l")).collect()
    kinds = {"u": ("user_id", "user_id"), "e": ("email", "email"), "p": ("phone", "phone"), "l": ("loyalty_card", "loyalty_card"),
             "d": ("device", "device_id"), "k": ("cookie", "cookie_id")}
    identifiers = pl.concat([
        together.lazy().filter(c(short).is_not_null()).select(
            node=short, value=pl.lit(f"{kind}:") + c(column), moment="moment", is_strong=pl.lit(short not in "dk"))
        for short, (kind, column) in kinds.items()
    ]).group_by("node").agg(c("value").first(), c("moment").min().alias("first_seen"), c("is_strong").first()).collect()
    strong_links = pl.concat([together.select(a="s", b=short) for short in "epl"]).filter(c("b").is_not_null() & (c("a") != c("b"))).unique()
    labels = identifiers.filter("is_strong").select(id="node").join(components(strong_links), on="id", how="left").select("id", label=c("label").fill_null(c("id")))
    devices = owned(together.select(weak="d", owner="s"), labels)
    # A shared device stands for nobody where it was seen with a cookie.
    cookies = owned(together.select(weak="k", owner=pl.coalesce("s", "d")), pl.concat([labels, devices.filter(~c("is_shared")).select("id", "label")]))
    labels = pl.concat([labels, *(weak.select("id", "label") for weak in (devices, cookies))])
    return identifiers.join(labels, left_on="node", right_on="id", how="left").select(
        "node", "value", "first_seen", customer_id=c("label").fill_null(c("node"))).lazy()


def owned(pairs, labels):
    """Gives devices or cookies the label of their only owner; one with several owners links nobody and is a customer of its own."""
    owners = pairs.filter(c("weak").is_not_null()).unique().join(labels, left_on="owner", right_on="id", how="left").group_by("weak").agg(
        least=c("label").min(), most=c("label").max())
    is_shared = (c("least") != c("most")).fill_null(False)
    return owners.select(id="weak", label=pl.when(is_shared).then(c("weak")).otherwise(c("least").fill_null(c("weak"))), is_shared=is_shared)


# ---------------------------------------------------------------------------------------------------------------- facts


def whole(amount, places=4):
    """Returns a decimal as a whole number of its last places."""
    return (amount.cast(pl.Decimal(38, places)) * pl.lit(10**places)).cast(WHOLE)


def amount(number, places=4):
    return number.cast(pl.Decimal(38, places)) / pl.lit(10**places)


def half_away(number, divisor):
    """Divides whole numbers and rounds half away from zero."""
    number, divisor = number.cast(WHOLE), divisor if isinstance(divisor, int) else divisor.cast(WHOLE)
    size = abs(divisor) if isinstance(divisor, int) else divisor.abs()
    return number.sign() * ((2 * number.abs() + size) // (2 * size))


def order_facts(t):
    """Returns orders with their values in whole ten-thousandths of a yuan."""
    products = t["products"].select("sku", "category", unit_cost=whole(c("unit_cost")))
    lines = t["online_order_lines"].with_columns(unit_price=whole(c("unit_price"))).join(products, on="sku", how="left").collect().lazy()
    sums = lines.group_by("order_id").agg(
        lines_items=(c("quantity") * c("unit_price")).sum(), cost=(c("quantity") * c("unit_cost")).sum(), costed=c("unit_cost").is_not_null().all())
    rates = t["exchange_rates"].select("rate_date", "currency", rate=whole(c("rate"), 8))
    left_over, paid = pl.max_horizontal(c("items_amount") - c("discount_amount") - c("refund"), pl.lit(0)), c("items_amount") - c("discount_amount")
    value = lambda name: half_away(c(name) * c("rate"), 10**8)  # noqa: E731
    online = t["online_orders"].filter(c("placed_at") < AS_OF).with_columns(
        whole(c(f"{name}_amount")).alias(f"{name}_amount") for name in ("items", "discount", "tax", "shipping", "refund")
    ).with_columns(
        rate_date=day(c("placed_at")),
        refund=pl.when(c("refunded_at") >= AS_OF).then(0).when(c("status") == "refunded").then(pl.max_horizontal("refund_amount", paid)).otherwise(c("refund_amount")),
    ).join(rates, on=["currency", "rate_date"], how="left").join(sums, on="order_id", how="left").with_columns(
        kept=pl.when(paid > 0).then(half_away(left_over * 10**12, pl.when(paid > 0).then(paid).otherwise(1))).otherwise(10**12)
    ).select(
        "order_id", "customer_id", "channel", "coupon_campaign_id", "rate", ordered_at="placed_at", gross_value=value("items_amount"), discount_value=value("discount_amount"),
        refund_value=value("refund"), tax_value=value("tax_amount"), shipping_value=value("shipping_amount"),
        refunded_on=pl.when(c("refund") > 0).then(day(c("refunded_at").fill_null(c("placed_at")))),
        is_whole=c("lines_items") == c("items_amount"),
        cost_value=pl.when((c("lines_items") == c("items_amount")) & c("costed")).then(half_away(c("cost") * c("kept"), 10**12)),
        coupon_value=pl.when(c("coupon_campaign_id").is_null()).then(0).otherwise(half_away(value("discount_amount") * c("kept"), 10**12)),
        eligibility=pl.when(c("status").is_in(["test", "cancelled"])).then(c("status")).when(c("customer_id").is_null()).then(pl.lit("unresolved")).otherwise(pl.lit("eligible")),
    ).collect().lazy()
    all_orders = pl.concat([online, store_orders(t, products)], how="diagonal_relaxed").with_columns(
        order_date=day(c("ordered_at")), sale_value=c("gross_value") - c("discount_value"), net_value=c("gross_value") - c("discount_value") - c("refund_value"),
        is_eligible=c("eligibility") == "eligible",
    ).collect().lazy()
    number = pl.int_range(1, pl.len() + 1).over("customer_id")
    eligible = all_orders.filter("is_eligible").sort("customer_id", "ordered_at", "order_id").with_columns(n=number, month=month(c("order_date"))).collect().lazy()
    return all_orders, eligible, all_lines(t, lines.join(online.select("order_id", "rate", "is_whole"), on="order_id"))


def store_orders(t, products):
    sales = t["store_sales"].filter(c("sold_at") < AS_OF).with_columns(unit_price=whole(c("unit_price")), amount=whole(c("amount")))
    is_sale = c("kind") == "sale"
    receipts = sales.join(products, on="sku", how="left").group_by("receipt_id").agg(
        c("customer_id").min(), c("sold_at").min(), original=c("original_receipt_id").min(), is_sale=is_sale.any(),
        gross=(c("quantity") * c("unit_price")).filter(is_sale).sum(), sold=c("amount").filter(is_sale).sum(), returned=0 - c("amount").filter(~is_sale).sum(),
        cost=pl.when(c("unit_cost").is_not_null().all()).then((c("quantity") * c("unit_cost")).sum()),
    ).collect().lazy()
    back = receipts.filter(~c("is_sale") & c("original").is_not_null()).group_by("original").agg(
        back_returned=c("returned").sum(), back_moment=c("sold_at").max(), back_cost=pl.when(c("cost").is_not_null().all()).then(c("cost").sum()), is_back=pl.lit(True))
    sold = receipts.filter("is_sale").join(back, left_on="receipt_id", right_on="original", how="left")
    alone = receipts.filter(~c("is_sale")).join(receipts.filter("is_sale"), left_on="original", right_on="receipt_id", how="anti")
    sold_on = day(c("sold_at"))
    return pl.concat([sold, alone], how="diagonal").select(
        "customer_id", order_id="receipt_id", ordered_at="sold_at", channel=pl.lit("store"), gross_value="gross", discount_value=c("gross") - c("sold"),
        refund_value=c("returned") + c("back_returned").fill_null(0), tax_value=pl.lit(0), shipping_value=pl.lit(0),
        refunded_on=pl.when(c("returned") > 0).then(pl.max_horizontal(sold_on, day(c("back_moment")).fill_null(sold_on))).otherwise(day(c("back_moment"))),
        cost_value=pl.when(c("is_back").is_null()).then(c("cost")).otherwise(c("cost") + c("back_cost")), coupon_value=pl.lit(0),
        eligibility=pl.when(~c("is_sale")).then(pl.lit("return_without_sale")).when(c("customer_id").is_null()).then(pl.lit("unresolved")).otherwise(pl.lit("eligible")),
    )


def fact_orders(all_orders, eligible):
    first = eligible.filter(c("n") == 1).select("order_id", is_first_order=pl.lit(True))
    values = [f"{name}_value" for name in ("gross", "discount", "refund", "tax", "shipping", "net", "sale", "cost", "coupon")]
    return all_orders.join(first, on="order_id", how="left").select(
        "order_id", "customer_id", "ordered_at", "order_date", "channel", *(amount(c(name)).alias(name) for name in values), "refunded_on", "coupon_campaign_id",
        "is_eligible", "eligibility", c("is_first_order").fill_null(False),
    )


def all_lines(t, lines):
    """Returns the lines of orders; where some of an order are missing, the others do not tell what it cost."""
    products = t["products"].select("sku", "category", unit_cost=whole(c("unit_cost")))
    columns = {"order_id": "order_id", "line_number": "line_no", "product_id": "sku", "category": "category", "quantity": "quantity"}
    cost = c("quantity") * c("unit_cost")
    online = lines.select(**columns, gross_value=half_away(c("quantity") * c("unit_price") * c("rate"), 10**8), cost_value=pl.when("is_whole").then(cost))
    sale = t["store_sales"].filter((c("sold_at") < AS_OF) & (c("kind") == "sale")).with_columns(unit_price=whole(c("unit_price"))).join(products, on="sku", how="left")
    store_lines = sale.select(**{**columns, "order_id": "receipt_id"}, gross_value=c("quantity") * c("unit_price"), cost_value=cost)
    return pl.concat([online, store_lines], how="vertical_relaxed").collect().lazy()


def fact_order_lines(lines):
    return lines.with_columns(amount(c(name)).alias(name) for name in ("gross_value", "cost_value"))


def fact_touches(t):
    def first_by(column, *order):
        return c(column).sort_by(*order).first()

    visits = t["web_events"].filter(c("customer_id").is_not_null() & (c("occurred_at") < AS_OF))
    order = [c("utm_campaign").is_null(), c("utm_medium").is_null(), c("occurred_at"), c("event_id")]
    web_visits = visits.group_by("session_id", "customer_id").agg(
        event_id=first_by("event_id", "occurred_at", "event_id"), moment=c("occurred_at").min(), referrer=first_by("referrer", "occurred_at", "event_id"),
        campaign_id=first_by("utm_campaign", *order), medium=first_by("utm_medium", *order),
    )
    openings = t["app_events"].filter(c("customer_id").is_not_null() & (c("occurred_at") < AS_OF))
    app_visits = openings.group_by("session_id", "customer_id").agg(
        event_id=first_by("event_id", "occurred_at", "event_id"), moment=c("occurred_at").min(),
        campaign_id=first_by("campaign_id", c("campaign_id").is_null(), c("occurred_at"), c("event_id")),
    )
    treated = t["campaign_sends"].filter(c("customer_id").is_not_null() & (c("assigned_group") == "treatment"))

    def message(moment, prefix, kind, place):
        return treated.filter(c(moment) < AS_OF).select(
            "customer_id", "channel", "campaign_id", touch_id=pl.lit(prefix) + c("send_id"), touched_at=moment, touch_type=pl.lit(kind), source_order=pl.lit(place))

    searched = c("referrer").str.contains(r"//([^/]*\.)?(baidu|bing|google|search|sogou)\.")
    happened = pl.concat([
        message("sent_at", "sent:", "message_sent", 1), message("clicked_at", "clicked:", "message_clicked", 2),
        web_visits.select(
            "customer_id", "campaign_id", "session_id", touch_id=pl.lit("web:") + c("event_id"), touched_at="moment", touch_type=pl.lit("web_session"), source_order=pl.lit(3),
            channel=pl.when(c("medium").is_in(["cpc", "ppc"])).then(pl.lit("paid_search")).when(c("medium").is_not_null()).then(c("medium"))
            .when(searched).then(pl.lit("organic_search")).when(c("referrer").is_not_null()).then(pl.lit("referral")).otherwise(pl.lit("direct"))),
        app_visits.select(
            "customer_id", "campaign_id", "session_id", touch_id=pl.lit("app:") + c("event_id"), touched_at="moment", touch_type=pl.lit("app_session"), source_order=pl.lit(4),
            channel=pl.lit("app")),
    ], how="diagonal")
    known = t["campaigns"].select("campaign_id", of_campaign="channel")
    return happened.join(known, on="campaign_id", how="left").select(
        "touch_id", "customer_id", "touched_at", "touch_type", "campaign_id", "session_id", "source_order", touch_date=day(c("touched_at")),
        channel=pl.coalesce("of_campaign", "channel")).collect().lazy()


# ------------------------------------------------------------------------------------------------------ segments, churn


def segmented(eligible, back):
    """Returns the scores of all who have bought before a day so many days ago."""
    until = TODAY - pl.duration(days=back)
    within = c("order_date") >= until - pl.duration(days=365)
    worse = lambda rank: pl.min_horizontal(pl.lit(5), 1 + 5 * (rank.cast(pl.Int64) - 1) // pl.len())  # noqa: E731
    constant = pl.any_horizontal(c(name).min() == c(name).max() for name in ("recency", "frequency", "monetary"))
    scored = eligible.filter(c("order_date") < until).group_by("customer_id").agg(
        last_day=c("order_date").max(), frequency=within.sum().cast(pl.Int64), monetary=c("net_value").filter(within).sum()
    ).with_columns(recency=(until - c("last_day")).dt.total_days() - 1).with_columns(
        r=worse(c("recency").rank("min", descending=True)), f=worse(c("frequency").rank("min")), m=worse(c("monetary").rank("min")),
        quality=pl.when((pl.len() < 25) | constant).then(pl.lit("degenerate")).otherwise(pl.lit("ok")),
    ).with_columns(m=pl.when(c("monetary") <= 0).then(1).otherwise(c("m"))).with_columns(fm=(c("f") + c("m") + 1) // 2)
    named = pl.LazyFrame([(r + 1, fm + 1, name) for r, row in enumerate(SEGMENTS) for fm, name in enumerate(row)], schema=["r", "fm", "segment"], orient="row")
    return scored.join(named, on=["r", "fm"], how="left")


def fact_rfm_segments(t, eligible):
    known = pl.concat([
        t[name].filter(c("customer_id").is_not_null() & (c(moment) < AS_OF)).select("customer_id")
        for name, moment in (("crm_customers", "created_at"), ("campaign_sends", "assigned_at"), ("online_orders", "placed_at"), ("store_sales", "sold_at"))
    ]).unique()
    seen = t["identity_map"].group_by("customer_id").agg(moment=c("first_seen").min())
    then = segmented(eligible, 30).select("customer_id", before="segment")
    there = day(c("moment")) < TODAY - pl.duration(days=30)
    bought = c("frequency") > 0
    return known.join(segmented(eligible, 0), on="customer_id", how="left").join(then, on="customer_id", how="left").join(seen, on="customer_id", how="left").select(
        "customer_id", last_order_date="last_day", recency_days="recency", in_window=bought.fill_null(False), frequency=c("frequency").fill_null(0),
        monetary_total=amount(c("monetary").fill_null(0)),
        aov=pl.when(bought).then(amount(half_away(c("monetary"), pl.when(bought).then(c("frequency")).otherwise(1)))), r_score="r", f_score="f", m_score="m", fm_score="fm",
        segment=c("segment").fill_null("Prospects"), previous_segment=c("before").fill_null(pl.when(there).then(pl.lit("Prospects"))),
        previous_as_of_date=TODAY - pl.duration(days=30), net_nonpositive=(bought & (c("monetary") <= 0)).fill_null(False), score_quality="quality",
        score_mode=pl.lit("quantile"), window_days=pl.lit(365),
    )


def months_of(eligible):
    return eligible.select(month=pl.date_ranges(c("month").min(), TODAY - pl.duration(days=1), "1mo")).explode("month").with_columns(
        until=c("month").dt.offset_by("1mo")).with_columns(done=c("until") <= TODAY).collect().lazy()


def fact_cohort_churn(eligible, cohorts, months):
    days = eligible.select("customer_id", "order_date").unique().sort("customer_id", "order_date").with_columns(
        before=c("order_date").shift(1).over("customer_id"), next=c("order_date").shift(-1).over("customer_id")).collect().lazy()
    gone = c("order_date") + pl.duration(days=CHURN_DAYS)
    churned = days.filter(gone < c("next").fill_null(TODAY)).group_by("customer_id", month=month(gone)).agg(churns=pl.len())
    returned = days.filter((c("order_date") - c("before")).dt.total_days() > CHURN_DAYS).group_by("customer_id", month=month(c("order_date"))).agg(returns=pl.len())
    members = cohorts.join(months, how="cross").filter(c("month") >= c("cohort"))
    last = members.join(days.select("customer_id", "order_date"), on="customer_id").group_by("customer_id", "month").agg(
        before=c("order_date").filter(c("order_date") < c("month")).max(), ever=c("order_date").max())
    bought = eligible.group_by("customer_id", "month").agg(orders=pl.len(), revenue=c("net_value").sum())
    presence = members
    for other in (last, churned, returned, bought):
        presence = presence.join(other, on=["customer_id", "month"], how="left")
    there = ((c("month") - c("before")).dt.total_days() - 1 < CHURN_DAYS).fill_null(False)
    cells = presence.group_by("cohort", "month", "until", "done").agg(
        size=pl.len(), active=c("orders").is_not_null().sum(), orders=c("orders").sum(), revenue=c("revenue").sum(), retained=(c("ever") >= c("month")).sum(),
        there=there.sum(), churned=c("churns").filter(there).sum(), returned=c("returns").sum(),
    ).sort("cohort", "month").with_columns(cumulated=c("revenue").cum_sum().over("cohort"))
    share = lambda part, of: c(part).cast(pl.Float64) / c(of)  # noqa: E731
    done = c("done")
    return cells.select(
        cohort_start="cohort", period_grain=pl.lit("month"),
        period_index=(c("month").dt.year() - c("cohort").dt.year()) * 12 + c("month").dt.month().cast(pl.Int32) - c("cohort").dt.month().cast(pl.Int32),
        period_start="month", period_end="until", is_complete="done", cohort_size="size", active_customers="active",
        retention_classic=pl.when(done).then(share("active", "size")), retained_customers="retained", retention_rolling=pl.when(done).then(share("retained", "size")),
        orders="orders", revenue=amount(c("revenue")), cum_net_value=amount(c("cumulated")), cum_per_member=pl.when(done).then(amount(half_away(c("cumulated"), c("size")))),
        customers_at_start="there", churned_customers="churned", reactivated_customers="returned", churn_rate=pl.when(done & (c("there") > 0)).then(share("churned", "there")),
        churn_days=pl.lit(CHURN_DAYS), threshold_rule=pl.lit("fixed"),
    )


# ---------------------------------------------------------------------------------------------------------- attribution

PATH = ["touched_at", "source_order", "touch_id"]


def paths(eligible, touches):
    """Returns the paths of orders, and the touches that led to none."""
    seen = touches.select("customer_id", *PATH, "channel", "campaign_id")
    window = eligible.select("order_id", "customer_id", "ordered_at").join(seen, on="customer_id").filter(
        (c("touched_at") <= c("ordered_at")) & (c("touched_at") >= c("ordered_at") - pl.duration(days=30))).collect().lazy()
    same = lambda name: c(name).fill_null("") == c(name).fill_null("").shift(1).over("order_id")  # noqa: E731
    steps = window.sort("order_id", *PATH).filter(~(same("channel") & same("campaign_id")).fill_null(False)).select(
        "order_id", "touch_id", "touched_at", "channel", "campaign_id", pos=pl.int_range(1, pl.len() + 1).over("order_id")).collect().lazy()
    lost = touches.join(window.select("touch_id").unique(), on="touch_id", how="anti").select("customer_id", *PATH, "channel", is_order=pl.lit(0))
    bought = eligible.select("customer_id", touched_at="ordered_at", source_order=pl.lit(None, pl.Int32), touch_id="order_id", channel=pl.lit(None, pl.String), is_order=pl.lit(1))
    vain = pl.concat([lost, bought], how="vertical_relaxed").sort("customer_id", "touched_at", "is_order", "touch_id").with_columns(
        before=c("is_order").cum_sum().over("customer_id")).filter(c("is_order") == 0).sort("customer_id", "before", *PATH)
    return steps, vain


def effects(steps, vain):
    """Returns what the Markov chain loses without each channel."""
    moves = []
    for rows, key, end in ((steps, ["order_id"], "true"), (vain, ["customer_id", "before"], "false")):
        moves.append(rows.select(source=c("channel").shift(1).over(key).fill_null(""), target="channel"))
        moves.append(rows.group_by(key, maintain_order=True).agg(source=c("channel").last()).select("source", target=pl.lit(end)))
    counted = pl.concat(moves).group_by("source", "target").agg(n=pl.len()).collect()
    return pl.LazyFrame(removal_effects(counted.rows()), schema={"channel": pl.String, "effect": pl.Float64}, orient="row")


def contributions(eligible, lines):
    """Returns orders with their contribution. Where the cost of one is not known in full, 35 of 100 remain of the lines without a cost and,
    so far as it was not refunded, all but the cost of the others.
    """
    told = lines.join(eligible.filter(c("cost_value").is_null()).select("order_id", "net_value", "refund_value"), on="order_id").group_by("order_id").agg(
        gross=c("gross_value").sum(), costed=c("gross_value").filter(c("cost_value").is_not_null()).sum(), cost=c("cost_value").sum(),
        kept=pl.max_horizontal(c("net_value").first(), pl.lit(0)), sold=(c("net_value") + c("refund_value")).first())
    share = lambda part, of: pl.when(of > 0).then(half_away(part, pl.when(of > 0).then(of).otherwise(1)))  # noqa: E731
    margins = told.filter(c("gross") > 0).select(
        "order_id", margin_rate=share((35 * c("gross") + 65 * c("costed")) * 10**10, c("gross")),
        known_cost=half_away(c("cost") * share(c("kept") * 10**12, c("sold")).fill_null(10**12), 10**12))
    estimated = half_away(c("net_value") * c("margin_rate").fill_null(35 * 10**10) + (c("coupon_value") - c("known_cost").fill_null(0)) * 10**12, 10**12)
    return eligible.join(margins, on="order_id", how="left").with_columns(
        contribution=pl.when(c("cost_value").is_null()).then(estimated).otherwise(c("net_value") - c("cost_value") + c("coupon_value")),
        is_estimated=c("cost_value").is_null(),
    ).collect().lazy()


def attribution_credits(eligible, steps, removal):
    """Returns what every model credits every step of every path with, in whole numbers."""
    n, pos, path = c("n_steps"), c("pos"), "order_id"
    last_real = pl.when(c("channel") != "direct").then(pos).max().over(path).fill_null(n)
    shape = steps.with_columns(n_steps=pl.len().over(path), same=pl.len().over(path, "channel")).with_columns(
        kinds=c("channel").n_unique().over(path), last_real=last_real,
        micros=(c("touched_at").max().over(path) - c("touched_at")).dt.total_microseconds(),
    ).join(removal, on="channel", how="left").collect().lazy()
    models = {
        "first": (pos == 1).cast(pl.Float64), "last": (pos == n).cast(pl.Float64), "last_non_direct": (pos == c("last_real")).cast(pl.Float64), "linear": pl.lit(1.0),
        "position": pl.when(n < 3).then(1.0).when((pos == 1) | (pos == n)).then(0.4).otherwise(0.2 / (n - 2)),
        "time_decay": pl.lit(2.0).pow(-(c("micros") / 86400000000) / 7).round(12), "markov": c("effect").fill_null(0.0).round(12),
        "shapley": 1.0 / c("kinds") / c("same"),
    }
    group = [path, "model"]
    raw = pl.concat([
        shape.select(path, "pos", "touch_id", "channel", "campaign_id", "n_steps", model=pl.lit(name), w=(weight * 1e15).round().cast(pl.Int64)) for name, weight in models.items()
    ]).with_columns(total=c("w").sum().over(group)).filter((c("total") == 0) | (c("w") > 0))
    share = pl.when(c("total") == 0).then(1.0 / n).otherwise((c("w") / 1e15) / (c("total") / 1e15))
    parts = raw.with_columns(weight=(share * 1e12).round().cast(WHOLE)).join(eligible, on=path).with_columns(
        net=half_away(c("net_value") * c("weight"), 10**12), refund=half_away(c("refund_value") * c("weight"), 10**12),
        contributed=half_away(c("contribution") * c("weight"), 10**12),
    ).sort(path, "model", "weight", "pos", descending=[False, False, True, False]).with_columns(takes=pl.int_range(pl.len()).over(group) == 0)
    rest = lambda part, of: (c(part) + pl.when("takes").then(of - c(part).sum().over(group)).otherwise(0)).alias(part)  # noqa: E731
    context = ["order_id", "customer_id", "month", "n", "refunded_on", "is_estimated"]
    attributed = parts.select(
        *context, "model", "pos", "touch_id", "channel", c("campaign_id").fill_null("(no campaign)"), rest("weight", 10**12), rest("net", c("net_value")),
        rest("refund", c("refund_value")), rest("contributed", c("contribution")), is_fallback=c("total") == 0,
    )
    nobody = pl.lit("(unattributed)")
    alone = eligible.join(steps.select(path).unique(), on=path, how="anti").join(pl.LazyFrame({"model": list(models)}), how="cross").select(
        *context, "model", channel=nobody, campaign_id=nobody, weight=pl.lit(10**12).cast(WHOLE), net="net_value", refund="refund_value", contributed="contribution",
        is_fallback=pl.lit(False))
    return pl.concat([attributed, alone], how="diagonal_relaxed").collect().lazy()


def fact_attribution_credits(credits):
    return credits.select(
        "order_id", "customer_id", "model", "touch_id", "channel", "campaign_id", "refunded_on", "is_estimated", "is_fallback", order_month="month", touch_position="pos",
        weight=amount(c("weight"), 12), net_value=amount(c("net")), refund_value=amount(c("refund")), contribution_value=amount(c("contributed")),
        is_first_order=c("n") == 1, attribution_days=pl.lit(30), half_life_days=pl.when(c("model") == "time_decay").then(pl.lit(7)).cast(pl.Decimal(9, 4)),
    )


# ------------------------------------------------------------------------------------------------------------ campaigns


def fact_campaign_roi(t, eligible, cohorts, months, touches, credits):
    key = ["campaign_id", "month"]
    rates = t["exchange_rates"].select("currency", cost_date="rate_date", rate=whole(c("rate"), 8))
    costs = t["campaign_costs"].filter(c("cost_date") < TODAY).join(rates, on=["currency", "cost_date"]).group_by("campaign_id", month=month(c("cost_date"))).agg(
        spend=half_away(whole(c("cost")) * c("rate"), 10**8).sum()).collect().lazy()
    credited = credits.group_by(*key, "model").agg(
        conversions=c("weight").sum(), gained=c("weight").filter(c("n") == 1).sum(), net=c("net").sum(), refunds=c("refund").sum(), contribution=c("contributed").sum(),
        estimated=c("net").filter("is_estimated").sum()).collect().lazy()
    seen = touches.group_by(c("campaign_id").fill_null("(no campaign)"), month=month(c("touch_date"))).agg(touches=pl.len())
    coupons = eligible.filter(c("coupon_campaign_id").is_not_null()).group_by("month", campaign_id="coupon_campaign_id").agg(coupon=c("coupon_value").sum())
    rows = pl.concat([frame.select(*key) for frame in (credited, seen, coupons, costs)] + [eligible.select(campaign_id=pl.lit("(unattributed)"), month="month")]).unique()
    joined = rows.join(credited.select("model").unique(), how="cross").join(credited, on=[*key, "model"], how="left")
    for other in (costs, coupons, seen):
        joined = joined.join(other, on=key, how="left")
    numbers = ["spend", "coupon", "touches", "conversions", "gained", "net", "refunds", "contribution", "estimated"]
    joined = joined.with_columns(c(name).fill_null(0) for name in numbers)
    value = cohort_values(eligible, cohorts, months)
    cac = pl.when((c("spend") > 0) & (c("gained") > 0)).then((c("spend") / 1e4) / (c("gained") / 1e12))
    joined = joined.with_columns(cac=cac).collect().lazy()
    payback = joined.select("month", "cac").unique().join(value, left_on="month", right_on="cohort").filter(c("value") >= c("cac")).group_by("month", "cac").agg(payback_months=c("k").min())
    lifetime = value.group_by(month="cohort").agg(lifetime=c("value").sort_by("k").last())
    newcomers = cohorts.group_by(month="cohort").agg(newcomers=pl.len())
    ratio = eligible.group_by("month").agg(earned=c("net_value").sum()).join(costs.group_by("month").agg(spent=c("spend").sum()), on="month", how="left").join(
        newcomers, on="month", how="left").select(
        "month", mer=pl.when(c("spent") != 0).then(c("earned") / c("spent")), blended_cac=pl.when(c("spent") != 0).then(c("spent") / 1e4 / c("newcomers")))
    named = t["campaigns"].select("campaign_id", campaign_name="name", of_campaign="channel")
    special, total = c("campaign_id").str.starts_with("("), c("spend") + c("coupon")
    return joined.join(payback, on=["month", "cac"], how="left").join(lifetime, on="month", how="left").join(ratio, on="month", how="left").join(named, on="campaign_id", how="left").select(
        "campaign_id", "campaign_name", "model", "touches", "mer", "blended_cac", "cac", "payback_months", channel=pl.when(special).then(c("campaign_id")).otherwise(c("of_campaign")),
        month_start="month", month_end=c("month").dt.offset_by("1mo"), is_complete=c("month").dt.offset_by("1mo") <= TODAY, spend=amount(c("spend")), acquisition_spend=amount(c("spend")), coupon_value=amount(c("coupon")),
        total_cost=amount(total), attributed_conversions=amount(c("conversions"), 12), attributed_new_customers=amount(c("gained"), 12),
        attributed_net_revenue=amount(c("net")), attributed_refunds=amount(c("refunds")), attributed_contribution=amount(c("contribution")),
        net_revenue_without_cost=amount(c("estimated")), roas=pl.when(c("spend") > 0).then(c("net") / c("spend")),
        roi=pl.when(c("spend") > 0).then((c("contribution") - total) / total), ltv_to_cac=c("lifetime") / c("cac"),
        spend_missing=(c("spend") == 0) & (c("touches") > 0) & ~special, spend_tz=pl.lit("platform"), attribution_days=pl.lit(30),
    )


def cohort_values(eligible, cohorts, months):
    """Returns what a member of a cohort has brought by its k-th month, for whole months in which the cohort bought."""
    members = cohorts.group_by("cohort").agg(members=pl.len())
    earned = eligible.join(cohorts, on="customer_id").group_by("cohort", "month").agg(earned=c("contribution").sum()).join(members, on="cohort")
    index = (c("month").dt.year() - c("cohort").dt.year()) * 12 + c("month").dt.month().cast(pl.Int32) - c("cohort").dt.month().cast(pl.Int32)
    return earned.join(months.filter("done").select("month"), on="month").sort("cohort", "month").select(
        "cohort", k=index, value=half_away(c("earned").cum_sum().over("cohort"), c("members")) / 1e4)


# ----------------------------------------------------------------------------------------------------------------- night


def night(raw, out, step):
    with step("clean"):
        cleaned = [web(raw), app(raw), orders(raw), store(raw), sends(raw), crm(raw)]
        t = {"online_order_lines": order_lines(raw), **small_tables(raw)}
    with step("identity"):
        t["identity_map"] = identity(*cleaned)
    with step("dedupe"):
        owner = pl.coalesce(*(node(kind, column) for kind, column in (("user_id", None), ("email", None), ("phone", None), ("loyalty_card", None), ("device", "device_id"), ("cookie", "cookie_id"))))
        owners = t["identity_map"].select(owner="node", customer_id="customer_id")
        keys = {
            "web_events": (["event_id"], "received_at"), "app_events": (["event_id"], "received_at"), "online_orders": (["order_id"], "updated_at"),
            "store_sales": (["receipt_id", "line_no"], "sold_at"), "campaign_sends": (["send_id"], "updated_at"), "crm_customers": (["user_id"], "updated_at"),
        }
        for (name, (key, order)), rows in zip(keys.items(), cleaned):
            present = rows.collect_schema().names()
            absent = [column for column in ("user_id", "email", "phone", "loyalty_card", "device_id", "cookie_id") if column not in present]
            with_owner = newest(rows, key, order).with_columns(pl.lit(None, pl.String).alias(column) for column in absent).with_columns(owner=owner).drop(absent)
            t[name] = with_owner.join(owners, on="owner", how="left").drop("owner").collect().lazy()
        cleaned.clear()
    marts = {}
    with step("facts"):
        all_orders, eligible, lines = order_facts(t)
        touches = fact_touches(t)
        marts["fact_orders"], marts["fact_order_lines"], marts["fact_touches"] = fact_orders(all_orders, eligible), fact_order_lines(lines), touches
        marts["dim_products"] = t["products"].select("category", product_id="sku", product_name="name", unit_cost_value="unit_cost", unit_price_value="price")
        marts["dim_campaigns"] = t["campaigns"].select("campaign_id", "channel", "start_date", "end_date", campaign_name="name", is_acquisition=pl.lit(True), budget_value="budget")
    with step("rfm"):
        marts["fact_rfm_segments"] = fact_rfm_segments(t, eligible).collect().lazy()
    with step("churn"):
        cohorts = eligible.group_by("customer_id").agg(cohort=c("month").min()).collect().lazy()
        months = months_of(eligible)
        marts["fact_cohort_churn"] = fact_cohort_churn(eligible, cohorts, months).collect().lazy()
    with step("attribution"):
        steps, vain = paths(eligible, touches)
        removal = effects(steps, vain)
        earned = contributions(eligible, lines)
        credits = attribution_credits(earned.drop("channel"), steps, removal)
        marts["fact_attribution_credits"] = fact_attribution_credits(credits)
    with step("campaigns"):
        marts["fact_campaign_roi"] = fact_campaign_roi(t, earned, cohorts, months, touches, credits).collect().lazy()
    with step("write"):
        for name, mart in marts.items():
            mart.with_columns(as_of=AS_OF, definition_version=pl.lit("3" if name in THIRD else "2")).sink_parquet(out / f"{name}.parquet", compression="zstd")
        for name, rows in t.items():
            rows.sink_parquet(out / f"clean_{name}.parquet", compression="zstd")


class Step:
    """Tells how long each step takes."""

    def __init__(self):
        self.seconds = {}

    def __call__(self, name):
        self.name = name
        return self

    def __enter__(self):
        self.begun = time.monotonic()

    def __exit__(self, *_):
        self.seconds[self.name] = round(time.monotonic() - self.begun, 3)


if __name__ == "__main__":
    steps_taken = Step()
    night(sys.argv[1], pathlib.Path(sys.argv[2]), steps_taken)
    print(json.dumps(steps_taken.seconds))
