"""A night as a DuckDB script: `duckdb_night.py RAW OUT THREADS`.

Prints one JSON object with the seconds of each step.
"""

import json
import pathlib
import sys
import time

import duckdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from exports import CLEAN  # noqa: E402
from removal import removal_effects  # noqa: E402
from resample import revenue_intervals  # noqa: E402
from script import statements  # noqa: E402


def components(db, links, labels):
    """Gives all that is linked one label, the least of its members: in each round, labels that became less spread on."""
    db.execute(f"CREATE TEMP TABLE ends AS SELECT a, b FROM {links} UNION ALL SELECT b, a FROM {links}")
    db.execute(f"CREATE TABLE {labels} AS SELECT a AS id, least(a, min(b)) AS label FROM ends GROUP BY a")
    db.execute(f"CREATE TEMP TABLE changed AS FROM {labels} WHERE label < id")
    while db.execute("SELECT count(*) FROM changed").fetchone()[0]:
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE changed AS SELECT a AS id, least_label AS label FROM ("
            f"SELECT e.a, min(c.label) AS least_label FROM changed c JOIN ends e ON e.b = c.id GROUP BY e.a) "
            f"JOIN {labels} l ON l.id = a WHERE least_label < l.label"
        )
        db.execute(f"UPDATE {labels} SET label = c.label FROM changed c WHERE c.id = {labels}.id")
    db.execute("DROP TABLE ends; DROP TABLE changed")


def add_removal_effects(db, table):
    effects = removal_effects(db.execute("FROM transitions").fetchall())
    db.execute(f"CREATE TABLE {table} (channel VARCHAR, effect DOUBLE)")
    db.executemany(f"INSERT INTO {table} VALUES (?, ?)", effects)


def add_revenue_intervals(db, table):
    intervals = revenue_intervals(db.execute("SELECT campaign_id, nt, nc, treated, control FROM resampled").fetchall())
    db.execute(f"CREATE TABLE {table} (campaign_id VARCHAR, low DOUBLE, high DOUBLE)")
    if intervals:
        db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", intervals)


def run(db, statement, out):
    match statement.kind:
        case "python":
            match statement.name.split():
                case ["components", links, labels]:
                    components(db, links, labels)
                case ["removal_effects"]:
                    add_removal_effects(db, "removal_effects")
                case ["revenue_intervals"]:
                    add_revenue_intervals(db, "revenue_intervals")
        case "table" | "view":
            db.execute(f"CREATE {statement.kind} {statement.name} AS {statement.sql}")
        case "mart":
            db.execute(f"COPY ({statement.sql}) TO '{out}/{statement.name}.parquet' (COMPRESSION zstd)")
        case _:
            db.execute(statement.sql)


def main(raw, out, threads):
    out.mkdir(parents=True, exist_ok=True)
    db = duckdb.connect(config={"threads": threads, "preserve_insertion_order": "false", "temp_directory": str(out / "spill")})
    db.execute("SET TimeZone = 'Asia/Shanghai'")
    seconds = {}
    for statement in statements(raw):
        begun = time.monotonic()
        try:
            run(db, statement, out)
        except duckdb.Error as error:
            sys.exit(f"{error}\nin {statement.name}\n{statement.sql}")
        seconds[statement.step] = seconds.get(statement.step, 0) + time.monotonic() - begun
    begun = time.monotonic()
    for table in CLEAN:
        db.execute(f"COPY {table} TO '{out}/clean_{table}.parquet' (COMPRESSION zstd)")
    seconds["write clean tables"] = time.monotonic() - begun
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3])
