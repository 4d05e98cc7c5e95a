"""Compares the marts of a peer with those that martlet published: `compare.py WAREHOUSE OUT`, or of two peers: `compare.py OUT OUT`.

OUT holds one Parquet file for each mart, or a folder of them, and `clean_identity_map.parquet`. Prints one line for each mart of the first, and ends
with 1 where rows differ. The order of rows does not matter. Customers have other ids on either side, so each is known by the
least of its identifiers. All values must be equal, but doubles, which may differ by 1e-9 of their size, and so may weights of
attribution, decimals of twelve places, and their sums: they come of powers of 2 that are rounded to twelve places, and where half
of the last place is left over, the last bit decides, which libraries do not agree on.
"""

import json
import pathlib
import sys

import duckdb

TOLERANCE = 1e-9
SHOWN = 5


def main(first, second):
    db = duckdb.connect()
    db.execute("SET TimeZone = 'Asia/Shanghai'")
    ours, theirs = (published(db, folder, side) for folder, side in ((first, "our"), (second, "their")))
    for side in ("our", "their"):
        db.execute(f"CREATE TABLE {side}_customers AS SELECT customer_id, min(value) AS least FROM {side}_map GROUP BY customer_id")
    differences = compare(db, "customers", *(f"SELECT value, least FROM {side}_map JOIN {side}_customers USING (customer_id)" for side in ("our", "their")))
    for mart, relation in sorted(ours.items()):
        if mart in theirs:
            differences += compare(db, mart, named(db, relation, "our"), named(db, theirs[mart], "their"))
        else:
            print(f"{mart}: not computed")
    sys.exit(1 if differences else 0)


def published(db, folder, side):
    """Makes a view of the customer of each identifier; returns what each mart is read from."""
    if not (folder / "CURRENT").exists():
        found = {path.stem: f"'{path}/*.parquet'" if path.is_dir() else f"'{path}'" for path in folder.glob("*.parquet")}
        db.execute(f"CREATE VIEW {side}_map AS SELECT value, customer_id FROM {found['clean_identity_map']}")
        return {mart: relation for mart, relation in found.items() if not mart.startswith("clean_")}
    number = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    tables = json.loads((folder / "generations" / f"{number}.json").read_text(encoding="utf-8"))["tables"]
    read = lambda table: f"read_parquet({[str(folder / file['path']) for file in table['files']]!r})"  # noqa: E731
    db.execute(
        f"CREATE VIEW {side}_map AS SELECT identifier_type || ':' || value AS value, customer_id FROM {read(tables['identity']['map'])} "
        f"WHERE state IN ('linked', 'ambiguous')"
    )
    return {mart: read(table) for mart, table in tables["marts"].items()}


def named(db, relation, side):
    """Returns a query of all columns, with the least identifier of each customer in place of its id."""
    if "customer_id" not in columns(db, f"FROM {relation}"):
        return f"FROM {relation}"
    return (
        f"SELECT m.* EXCLUDE (customer_id), coalesce(least, 'unknown ' || m.customer_id) AS customer_id FROM {relation} m "
        f"LEFT JOIN {side}_customers c ON c.customer_id = m.customer_id"
    )


def columns(db, query):
    return {row[0]: row[1] for row in db.execute(f"DESCRIBE {query}").fetchall()}


def compare(db, name, ours, theirs):
    """Returns in how many rows two queries differ, and says so."""
    types, found = columns(db, ours), columns(db, theirs)
    if types.keys() != found.keys():
        print(f"{name}: columns {sorted(types.keys() ^ found.keys())} are on one side only")
        return 1
    doubles = [column for column, kind in types.items() if kind == "DOUBLE" or kind.endswith(",12)")]
    exact = [column for column in types if column not in doubles]
    # A value that would change when it takes our type is a difference and no rounding.
    cast = ", ".join(
        f"CASE WHEN \"{column}\" IS NULL OR \"{column}\"::{kind} = \"{column}\" THEN \"{column}\"::{kind} ELSE error('{name}.{column}: ' || \"{column}\") END AS \"{column}\""
        for column, kind in types.items()
        if column not in doubles
    )
    cast += "".join(f', "{column}"::DOUBLE AS "{column}"' for column in doubles)
    db.execute(f"CREATE OR REPLACE TEMP TABLE ours AS {ours}")
    db.execute(f"CREATE OR REPLACE TEMP TABLE theirs AS SELECT {cast} FROM ({theirs})")
    listed = ", ".join(f'"{column}"' for column in exact)
    count, differing = db.execute("SELECT count(*) FROM ours").fetchone()[0], 0
    for side, other in (("ours", "theirs"), ("theirs", "ours")):
        only = f"SELECT {listed} FROM {side} EXCEPT ALL SELECT {listed} FROM {other}"
        rows = db.execute(f"SELECT count(*) FROM ({only})").fetchone()[0]
        differing += rows
        if rows:
            for row in db.execute(f"{only} ORDER BY ALL LIMIT {SHOWN}").fetchall():
                print(f"  only in {side}: {dict(zip(exact, map(str, row)))}"[:900])
    if doubles and not differing:
        differing = compare_doubles(db, listed, doubles)
    print(f"{name}: {count} rows, {len(types)} columns, {'equal' if not differing else f'{differing} rows differ'}")
    return differing


def compare_doubles(db, listed, doubles):
    """Compares doubles of rows that are equal in all other columns, pair by pair in one order."""
    order = ", ".join([listed, *(f'"{column}"' for column in doubles)])
    numbered = "SELECT *, row_number() OVER (ORDER BY {}) AS place FROM {}"
    differ = " OR ".join(
        f'(o."{column}" IS NULL) <> (t."{column}" IS NULL) OR '
        f'abs(o."{column}" - t."{column}") > {TOLERANCE} * greatest(abs(o."{column}"), abs(t."{column}"))'
        for column in doubles
    )
    found = db.execute(
        f"SELECT count(*) FROM ({numbered.format(order, 'ours')}) o JOIN ({numbered.format(order, 'theirs')}) t USING (place) WHERE {differ}"
    ).fetchone()[0]
    if found:
        print(f"  doubles differ among {doubles}")
    return found


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
