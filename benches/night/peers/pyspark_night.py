"""A night in PySpark, local: `pyspark_night.py RAW OUT THREADS`.

Runs `night_spark.sql`. Tables are stored as Parquet before they are read, which keeps the plans of later queries small.
Prints one JSON object with the seconds of each step.
"""

import glob
import json
import pathlib
import shutil
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import StringType, StructField, StructType

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from exports import CSV, NDJSON  # noqa: E402
from removal import removal_effects  # noqa: E402
from script import statements  # noqa: E402


def schema(words):
    """Makes a schema of texts of words; `a(b,c)` is an object."""
    fields = []
    for word in words.split():
        name, _, inner = word.partition("(")
        kind = StructType([StructField(part, StringType()) for part in inner.rstrip(")").split(",")]) if inner else StringType()
        fields.append(StructField(name, kind))
    return StructType(fields)


def read_raw(spark, raw):
    """Makes a view of the exports of each source."""
    for name, words in NDJSON.items():
        rows = spark.read.schema(schema(words)).json(sorted(glob.glob(f"{raw}/{name}/dt=*/*.ndjson.gz")))
        rows.withColumn("_object", f.input_file_name()).createOrReplaceTempView(f"raw_{name}")
    for name, words in CSV.items():
        # A row of too many fields is known by the record that is kept beside it, as is one of too few.
        kept = StructType([*schema(words).fields, StructField("_broken", StringType())])
        reader = spark.read.schema(kept).option("header", True).option("mode", "PERMISSIVE").option("columnNameOfCorruptRecord", "_broken").option("quote", '"')
        rows = reader.option("escape", '"').option("enforceSchema", True).csv(sorted(glob.glob(f"{raw}/{name}/dt=*/*.csv")))
        sound = rows.filter(f.col("_broken").isNull() & ~f.coalesce(f.col(words.split()[0]).contains("\ufffd"), f.lit(False))).drop("_broken")
        sound.withColumn("_object", f.input_file_name()).createOrReplaceTempView(f"raw_{name}")


def keep(spark, rows, name, out):
    """Stores a table and goes on with what was stored, so that plans do not grow."""
    folder = out / "tables" / name
    rows.write.parquet(str(folder))
    spark.read.parquet(str(folder)).createOrReplaceTempView(name)


def components(spark, links, labels):
    """Gives all that is linked one label, the least of its members."""
    ends = spark.sql(f"SELECT a, b FROM {links} UNION SELECT b, a FROM {links}").persist()
    ends.createOrReplaceTempView("ends")
    now = spark.sql("SELECT a AS id, least(a, min(b)) AS label FROM ends GROUP BY a").localCheckpoint()
    while True:
        now.createOrReplaceTempView("now")
        spread = spark.sql(
            "SELECT n.id, least(n.label, near) AS label, near < n.label AS changed FROM now n JOIN ("
            "SELECT a, min(label) AS near FROM ends JOIN now ON id = b GROUP BY a) ON a = n.id"
        ).localCheckpoint()
        if spread.filter("changed").limit(1).count() == 0:
            break
        now = spread.drop("changed")
    now.createOrReplaceTempView(labels)
    ends.unpersist()


def run(spark, statement, out):
    match statement.kind:
        case "python":
            match statement.name.split():
                case ["components", links, labels]:
                    components(spark, links, labels)
                case _:
                    effects = removal_effects([tuple(row) for row in spark.table("transitions").collect()])
                    spark.createDataFrame(effects, "channel STRING, effect DOUBLE").createOrReplaceTempView("removal_effects")
        case "table":
            keep(spark, spark.sql(statement.sql), statement.name, out)
        case "view":
            spark.sql(statement.sql).createOrReplaceTempView(statement.name)
        case "mart":
            write(spark.sql(statement.sql), statement.name, out)
        case _:
            spark.sql(statement.sql)


def write(rows, name, out):
    """Writes rows as a folder of files, as many as Spark has parts: to make one file of them would leave all but one core idle."""
    rows.write.option("compression", "zstd").parquet(str(out / f"{name}.parquet"))


def main(raw, out, threads):
    begun = time.monotonic()
    spark = (
        SparkSession.builder.master(f"local[{threads}]").appName("night").config("spark.driver.memory", "8g").config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "Asia/Shanghai").config("spark.sql.shuffle.partitions", str(2 * threads)).config("spark.local.dir", str(out / "spill"))
        .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").config("spark.log.level", "ERROR")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS").config("spark.sql.files.maxPartitionBytes", "64m")
        # The files of a local disk are listed without a job that has a task for each folder.
        .config("spark.sql.sources.parallelPartitionDiscovery.threshold", "100000").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    )
    seconds = {"start": time.monotonic() - begun}
    read_raw(spark, raw)
    for statement in statements(raw, "night_spark.sql"):
        begun = time.monotonic()
        try:
            run(spark, statement, out)
        except Exception as error:
            sys.exit(f"{error}\nin {statement.name}\n{statement.sql}")
        seconds[statement.step] = round(seconds.get(statement.step, 0) + time.monotonic() - begun, 3)
    write(spark.table("identity_map"), "clean_identity_map", out)
    spark.stop()
    shutil.rmtree(out / "spill", ignore_errors=True)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]))
