#!/usr/bin/env python3
"""Reads the marts of the sample with Spark and compares every cell with what pyarrow reads.

    python3 tests/interop/spark.py MARTLET [--warehouse WAREHOUSE]

MARTLET publishes two nights into a temporary warehouse, unless WAREHOUSE holds some already. Spark, in local mode, reads the
files of each mart together, and `latest/<mart>.parquet`; types must be those that the mart declares. Delta tables as such are
not read: what Spark needs for that comes from no package index this project uses.

It needs Java. The first time it makes a virtual environment below $CARGO_TARGET_DIR/interop and installs Spark into it. It
ends with 1 where a cell differs.
"""

import json
import os
import pathlib
import sys

import sample

ENVIRONMENT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", sample.PROJECT / "target")) / "interop" / "spark"
PACKAGES = ["pyspark==4.3.0", "pyarrow==26.0.1"]
NIGHTS = ["2026-01-30", "2026-01-31"]
# What Spark calls the types that columns of Parquet have.
TYPES = {
    "string": "string", "date32[day]": "date", "bool": "boolean", "int64": "bigint", "double": "double",
    "timestamp[us, tz=UTC]": "timestamp",
}


def compare(warehouse):
    import pyarrow
    import pyarrow.parquet

    number = (warehouse / "CURRENT").read_text(encoding="utf-8").strip()
    generation = json.loads((warehouse / "generations" / f"{number}.json").read_text(encoding="utf-8"))
    spark = started()
    cells = 0
    for name, table in sorted(generation["tables"]["marts"].items()):
        files = [warehouse / file["path"] for file in table["files"]]
        for paths in (files, [warehouse / "latest" / f"{name}.parquet"]):
            expected = pyarrow.concat_tables(
                [pyarrow.parquet.read_table(path) for path in paths], promote_options="permissive")
            frame = spark.read.option("mergeSchema", "true").parquet(*[str(path) for path in paths])
            declared = {field.name: spark_type(field.type) for field in expected.schema}
            found = dict(frame.dtypes)
            if found != declared:
                sys.exit(f"{name}: Spark has the types {found}, not {declared}")
            columns = expected.column_names
            if rows(frame.toArrow().select(columns)) != rows(expected):
                sys.exit(f"{name}: Spark reads other rows of {', '.join(map(str, paths))}")
            cells += len(expected) * len(columns)
    spark.stop()
    print(f"{cells:,} cells of {len(generation['tables']['marts'])} marts and their latest files are equal in Spark")


def started():
    """Starts Spark on this machine alone."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("martlet")
    for key, value in {
        "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC", "spark.log.level": "ERROR",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def spark_type(kind):
    """Returns what Spark calls a type of pyarrow."""
    text = str(kind)
    if text.startswith("decimal128("):
        return f"decimal({text.removeprefix('decimal128(').replace(' ', '')}"
    return TYPES[text]


def rows(table):
    """Returns the rows of a table in an order that does not depend on its reader."""
    columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
    return sorted(zip(*columns), key=repr)


def plain(value):
    """Returns a value as a text or a number, whatever the reader makes of it."""
    return value.isoformat().replace("+00:00", "") if hasattr(value, "isoformat") else value


if __name__ == "__main__":
    sys.exit(sample.read(__doc__, ENVIRONMENT, PACKAGES, NIGHTS, compare))
