#!/usr/bin/env python3
"""Runs the whole year of UCI Online Retail and compares the marts with reference values, cell by cell.

usage: online_retail_year.py MARTLET DATA

MARTLET is the command to test. DATA is the folder that holds `online_retail/by-day` and `online_retail/refs`.
The year is run twice, from copies of this project in a temporary folder: as shipped, where lines that were
exported twice count once, and without the `dedupe` rule, as analyses that keep them count. Exits with 1 where
a cell differs. It needs nothing but Python's standard library.
"""

import csv
import decimal
import gzip
import pathlib
import shutil
import subprocess
import sys
import tempfile

AS_OF = "2011-12-11"
DEDUPE = "    dedupe: { exact_rows: true }\n"
PROJECT = pathlib.Path(__file__).resolve().parent.parent
SHOWN_DIFFERENCES = 20
# The reference values hold money to the penny; a few prices of the year are tenths of one.
MONEY = ("monetary_total", "revenue")

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
        shipped = Year(martlet, data, pathlib.Path(folder) / "shipped", keeps_copies=False)
        with_copies = Year(martlet, data, pathlib.Path(folder) / "with_copies", keeps_copies=True)
        differences = [
            *rfm_differences("rfm, copies removed", shipped, references / "deduped" / "rfm.csv.gz"),
            *rfm_differences("rfm, copies kept", with_copies, references / "rfm.csv.gz"),
            *cohort_differences("cohorts, copies removed", shipped, references, with_revenue=False),
            *cohort_differences("cohorts, copies kept", with_copies, references, with_revenue=True),
        ]
    for difference in differences[:SHOWN_DIFFERENCES]:
        print(difference)
    if differences:
        sys.exit(f"{len(differences)} cells differ from the reference values")
    print("every cell equals the reference values")


class Year:
    """A project whose year has been published."""

    def __init__(self, martlet, data, folder, keeps_copies):
        for part in ("pipelines", "sql"):
            shutil.copytree(PROJECT / part, folder / part)
        if keeps_copies:
            pipeline = folder / "pipelines" / "online_retail.yaml"
            text = pipeline.read_text(encoding="utf-8")
            assert text.count(DEDUPE) == 1, f"{pipeline} has another rule of deduplication"
            pipeline.write_text(text.replace(DEDUPE, ""), encoding="utf-8")
        self.command = [str(martlet), "--project", str(folder), "--raw", str(data)]
        self.command += ["--warehouse", str(folder / "warehouse"), "--work", str(folder / "work")]
        self.martlet("run", "pipelines/online_retail.yaml", "--as-of", AS_OF, "--quiet")

    def martlet(self, *arguments):
        ended = subprocess.run([*self.command, *arguments], capture_output=True, encoding="utf-8")
        if ended.returncode != 0:
            sys.exit(f"martlet {arguments[0]} exited with {ended.returncode}\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def query(self, sql):
        return list(csv.DictReader(self.martlet("query", "--format", "csv", sql).splitlines()))


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


def differences(what, columns, found, expected):
    """Returns one text for each cell that differs, and for each row that only one side has."""
    if not expected:
        return [f"{what}: there is no reference value"]
    texts = [f"{what}: {key} is missing" for key in sorted(expected.keys() - found.keys())]
    texts += [f"{what}: {key} should not be there" for key in sorted(found.keys() - expected.keys())]
    cells = 0
    for key in sorted(expected.keys() & found.keys()):
        for column, is_value, should_be in zip(columns, found[key], expected[key], strict=True):
            cells += 1
            places = 2 if column in MONEY else 6
            if rounded(is_value, places) != rounded(should_be, places):
                texts.append(f"{what}: {column} of {key} is {is_value}, should be {should_be}")
    print(f"{what}: {cells} cells compared")
    return texts


def rounded(text, places):
    """Returns what a text means: a number to so many decimal places, or the text itself."""
    try:
        return round(decimal.Decimal(text), places)
    except decimal.InvalidOperation:
        return text


if __name__ == "__main__":
    main()
