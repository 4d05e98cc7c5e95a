"""A night in stock DataFusion: `datafusion_night.py RAW OUT THREADS`.

Runs `night_datafusion.sql`, tables in memory. Prints one JSON object with the seconds of each step.

DataFusion's reader of NDJSON gives a whole file up for one line that is no JSON, or has a number where others have a text, and its reader
of CSV for a row of too many fields. So NDJSON is read as lines, SQL sets those aside that are no JSON and makes numbers texts, and
pyarrow decodes what is left, batch by batch, in a function that the query calls. CSV is read by pyarrow, which skips broken rows.
A line of NDJSON that is no UTF-8 would still end the night. The sample has none.
"""

import glob
import json
import pathlib
import sys
import time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
from datafusion import CsvReadOptions, SessionConfig, SessionContext, udf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from exports import CLEAN, CSV, NDJSON  # noqa: E402
from macros import Macros  # noqa: E402
from removal import removal_effects  # noqa: E402
from resample import revenue_intervals  # noqa: E402
from script import statements  # noqa: E402

# An object of JSON whose values are scalars or objects of scalars.
STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
SCALAR = rf"(?:{STRING}|-?[0-9][0-9.eE+-]*|true|false|null)"
FLAT = rf"\{{(?:{STRING}: ?{SCALAR}(?:, ?{STRING}: ?{SCALAR})*)?\}}"
LINE = rf"^\{{(?:{STRING}: ?(?:{SCALAR}|{FLAT})(?:, ?{STRING}: ?(?:{SCALAR}|{FLAT}))*)?\}}$"
UNQUOTED = r'([^\\]": ?)(-?[0-9][0-9.eE+-]*|true|false)'


def record(words):
    """Makes a record of texts of words; `a(b,c)` is an object."""
    fields = []
    for word in words.split():
        name, _, inner = word.partition("(")
        fields.append(pa.field(name, pa.struct([(part, pa.string()) for part in inner.rstrip(")").split(",")]) if inner else pa.string()))
    return pa.struct(fields)


def decoder(name, kind):
    """Makes the function of SQL that decodes lines of a source."""
    schema = pa.schema(list(kind))

    def read(lines):
        text = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "\n")[0].as_buffer()
        rows = pyarrow.json.read_json(
            pa.BufferReader(text), pyarrow.json.ReadOptions(use_threads=False, block_size=text.size + 1),
            pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"))
        return rows.combine_chunks().to_batches()[0].to_struct_array()

    def decode(lines):
        try:
            return read(lines) if len(lines) else pa.nulls(0, kind)
        except pa.ArrowInvalid:
            # An object where a text should be, or the like, is found by halves.
            half = len(lines) // 2
            return pa.concat_arrays([decode(lines[:half]), decode(lines[half:])]) if half else pa.nulls(1, kind)

    return udf(decode, [pa.string()], kind, "stable", f"decode_{name}")


def read_ndjson(db, raw, name, words):
    """Makes a view of the exports of a source."""
    kind = record(words)
    db.register_udf(decoder(name, kind))
    # One column as wide as the line: its separators are characters that JSON does not hold.
    db.register_csv(f"lines_{name}", f"{raw}/{name}/", options=CsvReadOptions(
        has_header=False, delimiter="\x1f", quote="\x1e", schema=pa.schema([("line", pa.string())]), file_extension=".ndjson.gz", file_compression_type="gzip"))
    columns = ", ".join(f"r['{field.name}'] AS \"{field.name}\"" for field in kind)
    # A condition would be taken to where lines are read, past their file's name, so a broken line becomes a record of nothing.
    text = f"CASE WHEN line ~ '{LINE}' THEN regexp_replace(line, '{UNQUOTED}', '$1\"$2\"', 'g') ELSE '{{}}' END"
    db.sql(f"CREATE VIEW raw_{name} AS SELECT {columns}, _object FROM (SELECT decode_{name}({text}) AS r, input_file_name() AS _object FROM lines_{name})")


def utf8_lines(path):
    """Returns the lines of a file that are UTF-8."""
    content = pathlib.Path(path).read_bytes()
    try:
        content.decode()
        return content
    except UnicodeDecodeError:
        return b"".join(line for line in content.splitlines(True) if line.decode(errors="replace").encode() == line)


def read_csv(db, raw, name, words):
    """Makes a table of the exports of a source."""
    batches = []
    for path in sorted(glob.glob(f"{raw}/{name}/dt=*/*.csv")):
        rows = pyarrow.csv.read_csv(
            pa.BufferReader(utf8_lines(path)), pyarrow.csv.ReadOptions(column_names=words.split(), skip_rows=1),
            pyarrow.csv.ParseOptions(invalid_row_handler=lambda row: "skip"),
            pyarrow.csv.ConvertOptions(column_types={word: pa.string() for word in words.split()}))
        batches += rows.append_column("_object", pa.repeat(path, rows.num_rows)).to_batches()
    db.register_record_batches(f"raw_{name}", [batches])


def rows_of(db, sql):
    return [tuple(row.values()) for row in db.sql(sql).to_pylist()]


def components(db, links, labels):
    """Gives all that is linked one label, the least of its members: in each round, labels that became less spread on."""
    db.sql(f"CREATE TABLE ends AS SELECT a, b FROM {links} UNION ALL SELECT b, a FROM {links}")
    db.sql(f"CREATE TABLE {labels} AS SELECT a AS id, least(a, min(b)) AS label FROM ends GROUP BY a")
    db.sql(f"CREATE TABLE changed AS SELECT id, label FROM {labels} WHERE label < id")
    while rows_of(db, "SELECT count(*) FROM changed")[0][0]:
        db.sql(
            f"CREATE OR REPLACE TABLE changed AS SELECT id, least_label AS label FROM ("
            f"SELECT e.a, min(c.label) AS least_label FROM changed c JOIN ends e ON e.b = c.id GROUP BY e.a) "
            f"JOIN {labels} ON id = a WHERE least_label < label"
        )
        db.sql(f"CREATE OR REPLACE TABLE {labels} AS SELECT l.id, coalesce(c.label, l.label) AS label FROM {labels} l LEFT JOIN changed c ON c.id = l.id")
    db.sql("DROP TABLE ends")
    db.sql("DROP TABLE changed")


def add_rows(db, table, rows, **types):
    batch = pa.record_batch([pa.array([row[place] for row in rows], kind) for place, kind in enumerate(types.values())], names=list(types))
    db.register_record_batches(table, [[batch]])


def run(db, statement, macros, out):
    if statement.sql.startswith("CREATE MACRO"):
        return macros.define(statement.sql)
    sql = macros.expand(statement.sql)
    match statement.kind:
        case "python":
            match statement.name.split():
                case ["components", links, labels]:
                    components(db, links, labels)
                case ["removal_effects"]:
                    add_rows(db, "removal_effects", removal_effects(rows_of(db, "SELECT source, target, n FROM transitions")), channel=pa.string(), effect=pa.float64())
                case ["revenue_intervals"]:
                    groups = rows_of(db, "SELECT campaign_id, nt, nc, treated, control FROM resampled")
                    add_rows(db, "revenue_intervals", revenue_intervals(groups), campaign_id=pa.string(), low=pa.float64(), high=pa.float64())
        case "table" | "view":
            db.sql(f"CREATE {statement.kind} {statement.name} AS {sql}")
        case "mart":
            write(db, sql, f"{out}/{statement.name}.parquet")
        case _:
            db.sql(sql)


def write(db, sql, path):
    db.sql(f"COPY ({sql}) TO '{path}' STORED AS PARQUET OPTIONS (compression 'zstd(3)')").collect()


def main(raw, out, threads):
    out.mkdir(parents=True, exist_ok=True)
    config = SessionConfig().with_target_partitions(threads).set("datafusion.execution.time_zone", "Asia/Shanghai")
    # Or each field would be taken out where lines are read, of a decoding of its own.
    db = SessionContext(config.set("datafusion.optimizer.enable_leaf_expression_pushdown", "false"))
    begun = time.monotonic()
    for name, words in NDJSON.items():
        read_ndjson(db, raw, name, words)
    for name, words in CSV.items():
        read_csv(db, raw, name, words)
    seconds, macros = {"read CSV": time.monotonic() - begun}, Macros()
    for statement in statements(raw, "night_datafusion.sql"):
        begun = time.monotonic()
        try:
            run(db, statement, macros, out)
        except Exception as error:
            sys.exit(f"{error}\nin {statement.name}\n{statement.sql}")
        seconds[statement.step] = seconds.get(statement.step, 0) + time.monotonic() - begun
    begun = time.monotonic()
    for table in CLEAN:
        write(db, f"SELECT * FROM {table}", f"{out}/clean_{table}.parquet")
    seconds["write clean tables"] = time.monotonic() - begun
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]))
