#!/usr/bin/env python3
"""Runs thirty nights of the sample one by one, and holds who is who against what must stay and what is true.

usage: identity_nights.py MARTLET [--nights N]

MARTLET is the command to test. The nights end with the last one of the sample. Exits with 1 where
- an identifier has another customer than the night before, and no merge or split of that night tells so,
- a rebuild from all exports with the registry gives an identifier another id,
- one run over all exports in a fresh warehouse groups identifiers otherwise,
- a question to an earlier generation is not answered with the ids of that night, or
- the last night makes less than .999 of its pairs rightly, or finds less than .98 of those that the rows can tell.
It needs nothing but Python's standard library.
"""

import argparse
import collections
import csv
import datetime
import gzip
import math
import pathlib
import re
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent
LAST = datetime.date(2026, 1, 31)
PRECISION, RECALL = 0.999, 0.98
MART = "SELECT count(*) AS customers FROM identity_customers"
OWNERS = "SELECT identifier_type, value, customer_id FROM identity.map WHERE customer_id IS NOT NULL"
WAYS = """
SELECT DISTINCT from_customer_id, customer_id FROM identity.changes
WHERE change IN ('merged', 'split') AND changed_at = TIMESTAMP '{midnight}'
"""
ROWS = "SELECT email, user_id, customer_id FROM clean.online_orders WHERE customer_id IS NOT NULL ORDER BY _object, _record"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--nights", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        stage(folder)
        nightly = Warehouse(options.martlet.resolve(), folder / "nightly")
        told = one_by_one(nightly, options.nights)
        nightly.run(LAST, "--full-refresh", "--force")
        same("a rebuild gives other ids", told, nightly.owners())
        at_once = Warehouse(options.martlet.resolve(), folder / "at-once")
        at_once.run(LAST)
        same("one run groups otherwise", groups(told), groups(at_once.owners()))
    judge(told)


def stage(folder):
    """Writes a project with the shipped rules of sources and identity, and one small mart."""
    text = (PROJECT / "pipelines" / "nightly.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^stages:.*$", "stages: [sql]", text[: text.index("\npublish:")])
    files = {"pipelines/nightly.yaml": text + "\npublish: [fact_customers]\n", "sql/fact_customers.sql": MART}
    for name, content in files.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(content, encoding="utf-8")


class Warehouse:
    def __init__(self, martlet, folder):
        self.command = [str(martlet), "--project", str(folder.parent)]
        raw = PROJECT / "data" / "raw"
        self.places = ["--raw", str(raw), "--warehouse", str(folder), "--work", f"{folder}-work"]

    def run(self, as_of, *flags):
        self.martlet("run", "pipelines/nightly.yaml", "--as-of", as_of.isoformat(), "-q", *flags)

    def query(self, sql, *flags):
        rows = self.martlet("query", "--pipeline", "nightly", "--format", "csv", *flags, sql)
        return list(csv.reader(rows.splitlines()))[1:]

    def owners(self, *flags):
        return {(kind, value): customer for kind, value, customer in self.query(OWNERS, *flags)}

    def martlet(self, command, *arguments):
        ended = subprocess.run([*self.command, command, *self.places, *arguments], capture_output=True, encoding="utf-8")
        if ended.returncode != 0:
            sys.exit(f"martlet {command} exited with {ended.returncode}\n{ended.stdout}{ended.stderr}")
        return ended.stdout


def one_by_one(warehouse, nights):
    """Runs the nights, and returns who belongs to whom after the last."""
    before, moved, first = {}, 0, None
    for number in range(nights):
        as_of = LAST - datetime.timedelta(days=nights - 1 - number)
        warehouse.run(as_of)
        now = warehouse.owners()
        # The nights of the sample end at midnight in Shanghai.
        midnight = f"{as_of - datetime.timedelta(days=1)}T16:00:00Z"
        ways = {tuple(way) for way in warehouse.query(WAYS.format(midnight=midnight))}
        for identifier, customer in before.items():
            if now.get(identifier) != customer:
                moved += 1
                if (customer, now.get(identifier)) not in ways:
                    sys.exit(f"{as_of}: {identifier} has gone from {customer} to {now.get(identifier)}, which no change tells")
        before = now
        first = first or (now, warehouse.query(ROWS))
    print(f"{nights} nights: {len(before)} identifiers of {len(set(before.values()))} customers, {moved} moves, each recorded")
    if moved == 0:
        sys.exit("nothing has ever moved: the sample shows nothing")
    same("an earlier generation has other ids", first[0], warehouse.owners("--generation", "1"))
    same("an earlier generation has rows of others", first[1], warehouse.query(ROWS, "--generation", "1"))
    return before


def groups(owners):
    """Returns who belongs together, whatever the ids."""
    members = collections.defaultdict(set)
    for identifier, customer in owners.items():
        members[customer].add(identifier)
    return {frozenset(group) for group in members.values()}


def same(trouble, one, other):
    if one != other:
        sys.exit(trouble)


def judge(owners):
    """Holds the customers against the truth of the sample: those of one group can be told to be one person."""
    truth = {}
    for part in (PROJECT / "data" / "raw" / "truth" / "identities").glob("*.csv.gz"):
        with gzip.open(part, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["shared"] == "false":
                    truth[row["identifier_type"], row["value"]] = row["group"]
    made, true = pairs(owners[one] for one in truth if one in owners), pairs(truth.values())
    both = pairs((owners[one], truth[one]) for one in truth if one in owners)
    print(f"{true} true pairs, {made} made, {both} of them true: precision {both / made:.5f}, recall {both / true:.5f}")
    if both < PRECISION * made or both < RECALL * true:
        sys.exit(f"precision is below {PRECISION}, or recall below {RECALL}")


def pairs(marks):
    """Returns how many pairs have the same mark."""
    return sum(math.comb(members, 2) for members in collections.Counter(marks).values())


if __name__ == "__main__":
    main()
