#!/usr/bin/env python3
"""Finds the persons behind the records of FEBRL 3 by fuzzy matching, and compares them with the truth.

usage: febrl3.py MARTLET DATA

MARTLET is the command to test. DATA is the folder that holds `febrl3/records.csv` and `febrl3/truth.csv`. The
records go into a project of their own in a temporary folder, in an order and under names that tell nothing of who is
who: the column `rec_id`, which holds the answer, is taken away. The truth is read only when the night is over. A pair
of records is found where both have the same `customer_id`. Exits with 1 where F1 is below .997.
It needs nothing but Python's standard library.
"""

import collections
import csv
import hashlib
import math
import pathlib
import subprocess
import sys
import tempfile

F1 = 0.997

PIPELINE = """
version: 1
name: people
timezone: UTC
currency: AUD
stages: [sql]
sources:
  people:
    load: replace
    path: people/{date}.csv
    format: csv
    columns:
      record: { type: string, required: true }
      given_name: { type: string }
      surname: { type: string }
      street_number: { type: string }
      address_1: { type: string }
      address_2: { type: string }
      suburb: { type: string }
      postcode: { type: string }
      state: { type: string }
      date_of_birth: { type: string }
      soc_sec_id: { type: string }
    match:
      record: record
      blocks:
        - [soc_sec_id]
        - [given_name, surname]
        - ["any(given_name, surname)", date_of_birth]
        - ["soundex(given_name, surname)", "prefix(date_of_birth, 6)"]
        - [postcode, street_number]
        - ["any(address_1, address_2)"]
        - [suburb, date_of_birth]
      compare:
        given_name: { as: jaro_winkler, swaps_with: surname }
        surname: { as: jaro_winkler }
        street_number: { as: levenshtein }
        address_1: { as: jaro_winkler, swaps_with: address_2 }
        address_2: { as: jaro_winkler }
        suburb: { as: jaro_winkler }
        postcode: { as: levenshtein }
        state: { as: exact }
        date_of_birth: { as: date }
        soc_sec_id: { as: levenshtein }
      threshold: 0.99
identity:
  identifiers:
    record: { priority: 1 }
  links:
    people: { record: record }
publish: [fact_people]
"""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    martlet, data = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        names = stage(folder, data / "febrl3" / "records.csv")
        command = [martlet, "--project", folder, "--raw", folder / "raw"]
        command += ["--warehouse", folder / "warehouse", "--work", folder / "work"]
        told = run([*command, "run", "pipelines/people.yaml", "--as-of", "2026-01-02"])
        print("\n".join(line for line in told.splitlines() if "match" in line or "warning" in line))
        sql = "SELECT record, customer_id FROM fact_people"
        rows = run([*command, "query", "--format", "csv", sql]).splitlines()
    customers = {names[row["record"]]: row["customer_id"] for row in csv.DictReader(rows)}
    with open(data / "febrl3" / "truth.csv", encoding="utf-8", newline="") as file:
        persons = {row["record_id"]: row["entity_id"] for row in csv.DictReader(file)}
    assert customers.keys() == persons.keys(), "records were lost"
    judge(customers, persons)


def stage(folder, path):
    """Writes the project and its one export; returns the `rec_id` behind each name of a record."""
    for part in ("pipelines", "sql", "raw/people"):
        (folder / part).mkdir(parents=True)
    (folder / "pipelines" / "people.yaml").write_text(PIPELINE, encoding="utf-8")
    sql = "SELECT record, customer_id FROM people ORDER BY record"
    (folder / "sql" / "fact_people.sql").write_text(sql, encoding="utf-8")
    with open(path, encoding="utf-8", newline="") as file:
        records = {}
        for row in csv.DictReader(file):
            rec_id = row.pop("rec_id")
            records[hashlib.sha256(rec_id.encode()).hexdigest()[:16]] = (rec_id, row)
    with open(folder / "raw/people/2026-01-01.csv", "w", encoding="utf-8", newline="") as file:
        writer = None
        for name, (_, row) in sorted(records.items()):
            writer = writer or csv.DictWriter(file, ["record", *row])
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow({"record": name, **row})
    return {name: rec_id for name, (rec_id, _) in records.items()}


def judge(customers, persons):
    both = pairs((customers[record], persons[record]) for record in persons)
    found, true = pairs(customers.values()), pairs(persons.values())
    precision, recall = both / found, both / true
    f1 = 2 * both / (found + true)
    print(f"{true} true pairs, {found} found, {both} of them true")
    print(f"precision {precision:.5f}, recall {recall:.5f}, F1 {f1:.5f}")
    if f1 < F1:
        sys.exit(f"F1 is below {F1}")


def pairs(groups):
    """Returns how many pairs have the same group."""
    return sum(math.comb(members, 2) for members in collections.Counter(groups).values())


def run(command):
    ended = subprocess.run(command, capture_output=True, encoding="utf-8")
    if ended.returncode != 0:
        sys.exit(f"martlet exited with {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    main()
