#!/usr/bin/env python3
"""Runs the whole year of UCI Online Retail and compares the marts with reference values, cell by cell.

usage: online_retail_year.py MARTLET DATA

MARTLET is the command to test. DATA is the folder that holds `online_retail/by-day` and `online_retail/refs`.
The year is run twice, from copies of this project in a temporary folder: as shipped, where lines that were
exported twice count once, and without the `dedupe` rule, as analyses that keep them count. Exits with 1 where
a cell differs. It needs nothing but Python's standard library.
"""

import csv
import gzip
import pathlib
import shutil
import sys
import tempfile

from reference import Shop, differences, judge

AS_OF = "2011-12-11"
DEDUPE = "    dedupe: { exact_rows: true }\n"
PROJECT = pathlib.Path(__file__).resolve().parent.parent

RFM = """
SELECT customer_id, last_order_date, recency_days, frequency, monetary_total, r_score, f_score, m_score
FROM latest.fact_rfm_segments WHERE in_window
"""
RFM_REFERENCE = ["last_date", "recency_days", "frequency", "monetary", "r_rank", "f_rank", "m_rank"]
COHORTS = """
SELECT substr(CAST(cohort_start AS VARCHAR), 1, 7) AS cohort, period_index, is_complete, cohort_size,
    active_customers, orders, revenue, retention_classic
FROM fact_cohort_churn
"""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    martlet, data = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    references = data / "online_retail" / "refs"
    with tempfile.TemporaryDirectory() as folder:
        shipped = published(martlet, data, pathlib.Path(folder) / "shipped")
        with_copies = published(martlet, data, pathlib.Path(folder) / "with_copies", (DEDUPE, ""))
        different = [
            *rfm_differences("rfm, copies removed", shipped, references / "deduped" / "rfm.csv.gz"),
            *rfm_differences("rfm, copies kept", with_copies, references / "rfm.csv.gz"),
            *cohort_differences("cohorts, copies removed", shipped, references, with_revenue=False),
            *cohort_differences("cohorts, copies kept", with_copies, references, with_revenue=True),
        ]
    judge(different)


def published(martlet, data, folder, changed=None):
    """Publishes the year from a copy of this project."""
    for part in ("pipelines", "sql"):
        shutil.copytree(PROJECT / part, folder / part)
    shop = Shop(martlet, data, folder, "online_retail", changed)
    shop.publish(AS_OF)
    return shop


def rfm_differences(what, year, path):
    found = {row["customer_id"]: row for row in year.query(RFM)}
    columns = ["last_order_date", "recency_days", "frequency", "monetary_total", "r_score", "f_score", "m_score"]
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        expected = {row["customer_id"]: row for row in csv.DictReader(file)}
    found = {key: [row[column] for column in columns] for key, row in found.items()}
    expected = {key: [row[column] for column in RFM_REFERENCE] for key, row in expected.items()}
    return differences(what, columns, found, expected)


def cohort_differences(what, year, references, with_revenue):
    columns = ["cohort_size", "active_customers", "orders", "retention_classic"]
    reference = ["cohort_size", "customers", "orders", "retention"]
    if with_revenue:
        columns, reference = [*columns, "revenue"], [*reference, "revenue"]
    rows = year.query(COHORTS)
    incomplete = {(row["cohort"], row["period_index"]) for row in rows if row["is_complete"] == "false"}
    found = {(row["cohort"], row["period_index"]): [row[column] for column in columns] for row in rows}
    with open(references / "cohort_retention.csv", encoding="utf-8", newline="") as file:
        expected = {
            # A rate of a month that is not over is NULL with us.
            key: [
                "" if name == "retention" and key in incomplete else row[name]
                for name in reference
            ]
            for row in csv.DictReader(file)
            for key in [(row["cohort"], row["period"])]
        }
    return differences(what, columns, found, expected)


if __name__ == "__main__":
    main()
