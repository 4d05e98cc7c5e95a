#!/usr/bin/env python3
"""Recomputes the marts of the sample with DuckDB and compares every cell.

    python3 tests/interop/marts.py MARTLET [--warehouse WAREHOUSE]

MARTLET publishes the night of 2026-01-31 into a temporary warehouse, unless WAREHOUSE holds it already. DuckDB then
reads nothing but the clean tables and the identity map of that generation; the SQL in marts.sql, the Markov chain and
the resampling below were written from docs/marts.md, not from sql/marts. Whole numbers, texts, dates, times and decimals must be equal,
doubles to twelve significant digits. It ends with 1 where a cell differs, and says how much it compared.

The first time it makes a virtual environment below target/ and installs DuckDB into it.
"""

import bisect
import collections
import datetime
import decimal
import itertools
import json
import math
import pathlib
import re
import sys

import sample

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = sample.PROJECT / "target" / "interop"
PACKAGES = ["duckdb==2.0.0", "pytz"]
AS_OF = "2026-01-31"
SHOWN_DIFFERENCES = 8


def compare(warehouse):
    import duckdb

    number = (warehouse / "CURRENT").read_text(encoding="utf-8").strip()
    generation = json.loads((warehouse / "generations" / f"{number}.json").read_text(encoding="utf-8"))
    database = duckdb.connect()
    database.execute("SET TimeZone = 'Asia/Shanghai'")
    make_clean_views(database, warehouse, generation["tables"])
    expected = recomputed(database)
    marts = generation["tables"]["marts"]
    for missing in sorted(marts.keys() - expected.keys()):
        print(f"{missing}: not recomputed")
    differences = 0
    for mart in sorted(expected):
        # A mart that keeps its nights has the files of all; only tonight's can be computed from tonight's clean tables.
        night = marts[mart].get("history", {}).get("as_of")
        files = [str(warehouse / file["path"]) for file in marts[mart]["files"] if file.get("as_of") == night]
        database.execute(f"CREATE OR REPLACE VIEW published AS FROM read_parquet({files!r})")
        differences += compare_mart(database, mart, expected[mart])
    print(f"{len(expected)} of {len(marts)} marts recomputed, {differences} differences")
    return 1 if differences or len(expected) < len(marts) else 0


def make_clean_views(database, warehouse, tables):
    """Makes a view of each clean table, with the customer of each row."""
    identity = {
        name: [str(warehouse / file["path"]) for file in table["files"]] for name, table in tables["identity"].items()
    }
    database.execute(f"CREATE TABLE identity_map AS FROM read_parquet({identity['map']!r})")
    for name, table in tables["clean"].items():
        files = [str(warehouse / file["path"]) for file in table["files"]]
        scan = f"read_parquet({files!r}, union_by_name = true)"
        columns = {row[0] for row in database.execute(f"DESCRIBE FROM {scan}").fetchall()}
        if "_identifiers" in columns:
            # The customer of a row is that of its first identifier that is linked, else of the first that has one.
            query = f"""
                WITH rows AS (SELECT row_number() OVER () AS place_of_row, * FROM {scan}),
                named AS (
                    SELECT place_of_row, unnest(_identifiers) AS number, generate_subscripts(_identifiers, 1) AS place
                    FROM rows
                ),
                owned AS (
                    SELECT place_of_row, arg_min(m.customer_id, (m.state <> 'linked', place)) AS customer_id
                    FROM named JOIN identity_map m USING (number) WHERE m.customer_id IS NOT NULL GROUP BY place_of_row
                )
                SELECT rows.* EXCLUDE (place_of_row, _identifiers), owned.customer_id
                FROM rows LEFT JOIN owned USING (place_of_row)"""
        else:
            query = f"FROM {scan}"
        database.execute(f"CREATE TABLE {name} AS {query}")


def recomputed(database):
    """Runs marts.sql; returns the query of each mart. A statement `-- mart: NAME` before a query names it."""
    text = (HERE / "marts.sql").read_text(encoding="utf-8")
    marts = {}
    for statement in text.split(";\n"):
        if "-- python: removal_effects" in statement:
            add_removal_effects(database)
        if "-- python: revenue_intervals" in statement:
            add_revenue_intervals(database)
        named = re.search(r"^-- mart: (\w+)$", statement, re.MULTILINE)
        if named:
            marts[named[1]] = statement
        elif re.sub(r"--.*", "", statement).strip():
            execute(database, statement)
    return marts


def execute(database, statement):
    try:
        database.execute(statement)
    except Exception as error:
        sys.exit(f"{error}\nin\n{statement.strip()}")


def add_removal_effects(database):
    """Removes each channel from the chain in turn and solves what is left."""
    counts = collections.Counter()
    for channels, converted, paths in database.execute("SELECT channels, converted, count(*) FROM paths GROUP BY ALL").fetchall():
        states = ["", *channels, True if converted else False]
        for pair in zip(states, states[1:]):
            counts[pair] += paths
    channels = sorted({state for pair in counts for state in pair if isinstance(state, str) and state})
    everything = conversion_probability(counts, channels, None)
    effects = [(channel, float(1 - conversion_probability(counts, channels, channel) / everything)) for channel in channels]
    database.execute("CREATE TABLE removal_effects (channel VARCHAR, effect DOUBLE)")
    database.executemany("INSERT INTO removal_effects VALUES (?, ?)", effects)


def conversion_probability(counts, channels, removed):
    """Solves p = A p + b by elimination with exact fractions."""
    from fractions import Fraction

    states = ["", *(channel for channel in channels if channel != removed)]
    rows = []
    for state in states:
        total = sum(count for (source, _), count in counts.items() if source == state)
        row = [Fraction(int(state == other)) - Fraction(counts[(state, other)], total) for other in states]
        rows.append([*row, Fraction(counts[(state, True)], total)])
    for pivot in range(len(rows) - 1, -1, -1):
        factor = rows[pivot][pivot]
        rows[pivot] = [value / factor for value in rows[pivot]]
        for index in range(pivot):
            factor = rows[index][pivot]
            if factor:
                rows[index] = [value - factor * other for value, other in zip(rows[index], rows[pivot])]
    # Eliminated from below, the first row holds the start alone.
    return rows[0][-1]


def add_revenue_intervals(database):
    """Resamples the revenue of both groups of each campaign; returns nothing of groups without customers."""
    people = collections.defaultdict(lambda: {"treatment": [], "control": []})
    for campaign, side, revenue in database.execute("SELECT campaign_id, side, revenue::DOUBLE FROM person").fetchall():
        people[campaign][side].append(revenue)
    database.execute("CREATE TABLE revenue_intervals (campaign_id VARCHAR, low DOUBLE, high DOUBLE)")
    for campaign, sides in people.items():
        if not all(sides.values()):
            continue
        draws = chance()
        urns = [(len(values), sorted(value for value in values if value)) for values in (sides["treatment"], sides["control"])]
        tables = [hit_distribution(size, len(values)) for size, values in urns]
        differences = []
        for _ in range(2000):
            means = []
            for (size, values), cumulated in zip(urns, tables):
                hits = bisect.bisect_right(cumulated, (next(draws) >> 11) / 2**53)
                means.append(sum(values[next(draws) * len(values) >> 64] for _ in range(hits)) / size)
            differences.append(means[0] - means[1])
        differences.sort()
        ends = []
        for place in (1999 * 0.025, 1999 * 0.975):
            below = int(place)
            ends.append(differences[below] + (differences[below + 1] - differences[below]) * (place - below))
        database.execute("INSERT INTO revenue_intervals VALUES (?, ?, ?)", [campaign, *ends])


def hit_distribution(size, hits):
    """Returns the probability of so many or fewer values other than 0 among a resample, by their number."""
    if hits in (0, size):
        return [-1.0] * hits
    share = hits / size
    logs = (
        math.lgamma(size + 1) - math.lgamma(k + 1) - math.lgamma(size - k + 1) + k * math.log(share) + (size - k) * math.log1p(-share)
        for k in range(size)
    )
    return list(itertools.accumulate(math.exp(value) for value in logs))


def chance():
    """The numbers of SplitMix64 from 0 on."""
    state = 0
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        yield mixed ^ (mixed >> 31)


def compare_mart(database, mart, query):
    """Compares all columns of a mart; returns how many cells and rows differ."""
    columns = [row[0] for row in database.execute("DESCRIBE published").fetchall()]
    found_columns = [row[0] for row in database.execute(f"DESCRIBE ({query})").fetchall()]
    if sorted(columns) != sorted(found_columns):
        print(f"{mart}: columns {sorted(set(columns) ^ set(found_columns))} are on one side only")
        return 1
    listed = ", ".join(columns)
    published = rows_of(database, f"SELECT {listed} FROM published")
    expected = rows_of(database, f"SELECT {listed} FROM ({query})")
    print(f"{mart}: {len(published)} rows, {len(columns)} columns compared")
    only_published = sorted((published - expected).elements(), key=repr)
    only_expected = sorted((expected - published).elements(), key=repr)
    for side, rows in (("martlet", only_published), ("DuckDB", only_expected)):
        for row in rows[:SHOWN_DIFFERENCES]:
            print(f"  only {side}: {dict(zip(columns, row))}"[:700])
    return len(only_published) + len(only_expected)


def rows_of(database, query):
    return collections.Counter(tuple(map(cell, row)) for row in database.execute(query).fetchall())


def cell(value):
    """Returns a value as it is compared."""
    if isinstance(value, float):
        return float(f"{value:.12g}") + 0.0
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat()
    if isinstance(value, decimal.Decimal):
        return value.normalize() + 0
    return value


if __name__ == "__main__":
    sys.exit(sample.read(__doc__, ENVIRONMENT, PACKAGES, [AS_OF], compare))
