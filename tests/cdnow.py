#!/usr/bin/env python3
"""Runs the purchases of CDNOW as they were published and compares the marts with reference values, cell by cell.

usage: cdnow.py MARTLET DATA

MARTLET is the command to test. DATA is the folder that holds `cdnow/CDNOW_master.txt.gz` and `cdnow/refs`. The text is
set in columns that are parted by blanks, and 255 of its rows are equal to others and yet purchases of their own. It is
run from a copy of `tests/cdnow` in a temporary folder, for two days: references count recency from the first of July
1998, which with us is the last whole day, and cohorts up to June. Then the same is run once more with a rule that takes
equal rows for copies, which has to lose exactly those 255. Exits with 1 where a cell differs. It needs nothing but
Python's standard library.
"""

import csv
import gzip
import json
import pathlib
import shutil
import sys
import tempfile

from reference import Shop, differences, judge

PROJECT = pathlib.Path(__file__).resolve().parent / "cdnow"
MARTS = PROJECT.parent.parent / "sql" / "marts"
PURCHASES, EQUAL_PURCHASES = 69_659, 255
EVENT_TIME = "    event_time: bought_on\n"

TOTALS = """
SELECT COUNT(*) AS purchases, COUNT(DISTINCT customer_number) AS customers, SUM(disks) AS disks, SUM(paid) AS paid,
    COUNT(*) FILTER (WHERE paid = 0) AS free
FROM clean.purchases
"""
RFM = """
SELECT customer_id, last_order_date, recency_days, frequency, monetary_total, r_score, f_score, m_score
FROM latest.fact_rfm_segments WHERE in_window
"""
RFM_REFERENCE = ["last_date", "recency_days", "frequency", "monetary", "r_rank", "f_rank", "m_rank"]
COHORTS = """
SELECT substr(CAST(cohort_start AS VARCHAR), 1, 7) AS cohort, period_index, cohort_size, active_customers, orders,
    revenue, retention_classic
FROM fact_cohort_churn
"""
COHORT_REFERENCE = ["cohort_size", "customers", "orders", "revenue", "retention"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    martlet, data = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    references = data / "cdnow" / "refs"
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(martlet, data, project(pathlib.Path(folder) / "shop"), "cdnow")
        different = intake_differences(shop.publish("1998-07-01"), shop, references)
        different += cohort_differences(shop, references)
        shop.publish("1998-07-02")
        different += rfm_differences(shop, references)
        deduped = (EVENT_TIME, EVENT_TIME + "    dedupe: { exact_rows: true }\n")
        copied = Shop(martlet, data, project(pathlib.Path(folder) / "copied"), "cdnow", deduped)
        different += account_differences("equal rows as copies", copied.publish("1998-07-01"), EQUAL_PURCHASES)
    judge(different)


def project(folder):
    """Copies the project of these purchases together with the marts of martlet."""
    shutil.copytree(PROJECT, folder)
    shutil.copytree(MARTS, folder / "sql" / "marts")
    return folder


def account_differences(what, report, duplicate):
    [told] = report["sources"]
    columns = ["read", "kept", "rejected", "duplicate"]
    expected = [PURCHASES, PURCHASES - duplicate, 0, duplicate]
    return differences(what, columns, {"all": [str(told[column]) for column in columns]}, {"all": map(str, expected)})


def intake_differences(report, shop, references):
    """Compares what was taken in with what the reference says of the export."""
    master = json.loads((references / "summary.json").read_text(encoding="utf-8"))["quality"]["master"]
    found = account_differences("intake", report, 0)
    [totals] = shop.query(TOTALS)
    columns = {"purchases": "rows", "customers": "customers", "disks": "units", "paid": "revenue", "free": "zero_value"}
    expected = [str(master[name]) for name in columns.values()]
    return found + differences("totals", columns, {"all": list(totals.values())}, {"all": expected})


def rfm_differences(shop, references):
    rows = {row.pop("customer_id"): list(row.values()) for row in shop.query(RFM)}
    with gzip.open(references / "rfm.csv.gz", "rt", encoding="utf-8", newline="") as file:
        expected = {row["customer_id"]: [row[column] for column in RFM_REFERENCE] for row in csv.DictReader(file)}
    return differences("rfm", RFM_REFERENCE, rows, expected)


def cohort_differences(shop, references):
    rows = {(row.pop("cohort"), row.pop("period_index")): list(row.values()) for row in shop.query(COHORTS)}
    with open(references / "cohort_retention.csv", encoding="utf-8", newline="") as file:
        expected = {
            (row["cohort"], row["period"]): [row[column] for column in COHORT_REFERENCE] for row in csv.DictReader(file)
        }
    return differences("cohorts", COHORT_REFERENCE, rows, expected)


if __name__ == "__main__":
    main()
