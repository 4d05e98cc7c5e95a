#!/usr/bin/env python3
"""Measures the marts side by side: martlet and DuckDB compute all of `nightly` from the same clean tables in turn.

usage: run.py MARTLET [--customers N] [--days N] [--rounds N] [--threads N] [--folder DIR]

MARTLET is a release build. It publishes one night of a sample into DIR (target/bench by default), where nothing is
measured. Then, round by round, `martlet run --dev` computes and audits the marts from the clean tables of that night, and
DuckDB computes the same marts by the statements of benches/night/night.sql and writes them as Parquet. It reads the clean
tables from files in which the customer of each row has been written beside it, once and unmeasured; what is done in
Python, the Markov chain and the resampling, is taken off DuckDB's time. Prints ratios of martlet to DuckDB, pair by pair:
median, least and greatest, for the stages alone, which is what DuckDB does, and for the whole run with its checks; then
the slowest stages. Fails where marts differ.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "night"))

from spans import step_seconds  # noqa: E402

PROJECT = HERE.parent.parent
AS_OF = "2026-01-31"
PACKAGES = ["duckdb==2.0.0", "pytz", "numpy==2.4.6"]
# The steps of night.sql that lead from clean tables to marts; `prepare` makes macros.
STEPS = ("prepare", "facts", "rfm", "churn", "attribution", "campaigns", "resampling")
SHOWN_STAGES = 12


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, default=PROJECT / "target" / "bench")
    parser.add_argument("--duckdb-only", nargs=2, type=pathlib.Path, metavar=("CLEAN", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--with-customers", nargs=2, type=pathlib.Path, metavar=("WAREHOUSE", "CLEAN"), help=argparse.SUPPRESS)
    return parser.parse_args()


def prepared(options):
    """Makes DuckDB's environment, a published night and what DuckDB reads of it, where they are not there yet."""
    python = options.folder / "venv-marts" / "bin" / "python"
    if not python.exists():
        venv.create(options.folder / "venv-marts", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    size = f"{options.customers}-{options.days}"
    raw, warehouse = options.folder / f"raw-{size}", options.folder / f"warehouse-{size}"
    if not raw.exists():
        sample = ["sample", "--customers", str(options.customers), "--days", str(options.days), "--out", raw]
        subprocess.run([options.martlet, *sample], check=True, stdout=subprocess.DEVNULL)
    if not (warehouse / "nightly" / "CURRENT").exists():
        subprocess.run(night(options, raw, warehouse), check=True, stdout=subprocess.DEVNULL)
    clean = options.folder / f"clean-{size}"
    if not clean.exists():
        subprocess.run([python, __file__, options.martlet, "--with-customers", warehouse, clean], check=True)
    return python, raw, warehouse, clean


def night(options, raw, warehouse):
    command = [options.martlet, "--project", PROJECT, "run", "pipelines/nightly.yaml", "--as-of", AS_OF, "--raw", raw]
    command += ["--warehouse", warehouse, "--work", options.folder / "work", "--threads", str(options.threads)]
    return [*command, "--format", "json", "-q"]


def measured(command):
    """Runs a command; returns what it wrote to stdout, and its wall time, CPU time and peak memory."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return told, {
        "wall": time.monotonic() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss,
    }


def run_martlet(options, raw, warehouse):
    shutil.rmtree(warehouse / "nightly@bench", ignore_errors=True)
    told, figures = measured([*night(options, raw, warehouse), "--dev", "bench"])
    stages = [step for step in json.loads(told)["steps"] if step["step"] == "transform"]
    figures["stages"] = {stage["subject"]: stage["elapsed_ms"] / 1000 for stage in stages}
    figures["transform"] = step_seconds(stages)["transform"]
    return figures


def run_duckdb(options, python, clean, out):
    shutil.rmtree(out, ignore_errors=True)
    command = [python, __file__, options.martlet, "--threads", str(options.threads), "--duckdb-only", clean, out]
    told, figures = measured(command)
    own = json.loads(told)
    return {"wall": own["wall"], "cpu": own["cpu"], "memory": figures["memory"]}


def interop_marts():
    spec = importlib.util.spec_from_file_location("interop_marts", PROJECT / "tests" / "interop" / "marts.py")
    interop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(interop)
    return interop


def with_customers(warehouse, clean):
    """Writes the clean tables of a published night anew, with the customer of each row."""
    import duckdb

    root = warehouse / "nightly"
    number = (root / "CURRENT").read_text(encoding="utf-8").strip()
    tables = json.loads((root / "generations" / f"{number}.json").read_text(encoding="utf-8"))["tables"]
    database = duckdb.connect()
    database.execute("SET TimeZone = 'Asia/Shanghai'")
    interop_marts().make_clean_views(database, root, tables)
    partial = clean.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    relations = {table: table for table in tables["clean"]}
    relations["identity_map"] = "(SELECT identifier_type || ':' || value AS value, customer_id, first_seen FROM identity_map WHERE customer_id IS NOT NULL)"
    for name, relation in relations.items():
        database.execute(f"COPY {relation} TO '{partial / name}.parquet' (COMPRESSION zstd)")
    partial.rename(clean)


def by_duckdb(options, clean, out):
    """Computes and writes all marts; tells how long that took without what Python computes."""
    sys.path.insert(0, str(HERE.parent / "night" / "peers"))
    import duckdb
    from duckdb_night import run
    from script import statements

    apart = {"wall": 0.0, "cpu": 0.0}
    out.mkdir(parents=True)
    begun, cpu = time.monotonic(), processor_seconds()
    database = duckdb.connect(config={"threads": options.threads, "preserve_insertion_order": "false"})
    database.execute("SET TimeZone = 'Asia/Shanghai'")
    for path in clean.glob("*.parquet"):
        database.execute(f"CREATE VIEW {path.stem} AS FROM '{path}'")
    for statement in statements(""):
        if statement.step in STEPS:
            (set_apart(run, apart) if statement.kind == "python" else run)(database, statement, out)
    wall = time.monotonic() - begun - apart["wall"]
    print(json.dumps({"wall": wall, "cpu": processor_seconds() - cpu - apart["cpu"]}))


def compare(options, python, warehouse, clean, out):
    """Ends the program where the marts of the last runs differ."""
    latest = warehouse / "nightly@bench" / "latest"
    for folder in (latest, out):
        shutil.copy(clean / "identity_map.parquet", folder / "clean_identity_map.parquet")
    command = [python, HERE.parent / "night" / "compare.py", latest, out]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"martlet and DuckDB compute different marts:\n{ended.stdout}{ended.stderr}")


def set_apart(function, apart):
    def timed(*arguments):
        begun, cpu = time.monotonic(), processor_seconds()
        function(*arguments)
        apart["wall"] += time.monotonic() - begun
        apart["cpu"] += processor_seconds() - cpu

    return timed


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def show(name, values):
    print(f"  {name:<24}  median {statistics.median(values):.2f}  least {min(values):.2f}  greatest {max(values):.2f}")


def main():
    options = arguments()
    options.folder = options.folder.resolve()
    if options.with_customers:
        return with_customers(*options.with_customers)
    if options.duckdb_only:
        return by_duckdb(options, *options.duckdb_only)
    options.martlet = options.martlet.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "work").mkdir(exist_ok=True)
    python, raw, warehouse, clean = prepared(options)
    out = options.folder / "duckdb-marts"
    pairs = []
    for round_number in range(options.rounds + 1):
        ours = run_martlet(options, raw, warehouse)
        theirs = run_duckdb(options, python, clean, out)
        # The first round warms the caches of the system, and its marts are compared.
        if round_number == 0:
            compare(options, python, warehouse, clean, out)
        else:
            pairs.append((ours, theirs))
    print(f"{options.customers} customers, {options.days} days, {options.rounds} rounds, {options.threads} threads")
    print("martlet / DuckDB:")
    show("wall, stages", [ours["transform"] / theirs["wall"] for ours, theirs in pairs])
    for figure in ("wall", "cpu", "memory"):
        show(f"{figure}, with checks", [ours[figure] / theirs[figure] for ours, theirs in pairs])
    print("seconds:")
    show("martlet, stages", [ours["transform"] for ours, _ in pairs])
    show("martlet, with checks", [ours["wall"] for ours, _ in pairs])
    show("DuckDB", [theirs["wall"] for _, theirs in pairs])
    slowest = {stage: statistics.median(ours["stages"].get(stage, 0) for ours, _ in pairs) for stage in pairs[0][0]["stages"]}
    print("slowest stages, in seconds:")
    for stage in sorted(slowest, key=slowest.get, reverse=True)[:SHOWN_STAGES]:
        print(f"  {stage:<32} {slowest[stage]:.2f}")


if __name__ == "__main__":
    main()
