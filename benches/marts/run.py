#!/usr/bin/env python3
"""Measures the marts side by side: martlet and DuckDB compute all of `nightly` from the same clean tables in turn.

usage: run.py MARTLET [--customers N] [--days N] [--rounds N] [--threads N] [--folder DIR] [--duckdb-only WAREHOUSE]

MARTLET is a release build. It publishes one night of a sample into DIR (target/bench by default), where nothing is
measured. Then, round by round, `martlet run --dev` computes and audits the marts from the clean tables of that night, and
DuckDB computes the same marts from the same files by tests/interop/marts.sql and writes them as Parquet; what that
program does in Python, the Markov chain and the resampling, is taken off DuckDB's time. Prints ratios of martlet to
DuckDB, pair by pair: median, least and greatest, for the stages alone, which is what DuckDB does, and for the whole run
with its checks; then the slowest stages. tests/interop/marts.py tells whether both compute the same.
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
PROJECT = HERE.parent.parent
AS_OF = "2026-01-31"
PACKAGES = ["duckdb==2.0.0", "pytz"]
SHOWN_STAGES = 12


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, default=PROJECT / "target" / "bench")
    parser.add_argument("--duckdb-only", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def prepared(options):
    """Makes DuckDB's environment and a published night, where they are not there yet."""
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
    return python, raw, warehouse


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
    figures["stages"] = {}
    for step in json.loads(told)["steps"]:
        if step["step"] == "transform":
            figures["stages"][step["subject"]] = step["elapsed_ms"] / 1000
    figures["transform"] = sum(figures["stages"].values())
    return figures


def run_duckdb(options, python, warehouse):
    command = [python, __file__, options.martlet, "--threads", str(options.threads), "--folder", options.folder]
    told, figures = measured([*command, "--duckdb-only", warehouse])
    own = json.loads(told)
    return {"wall": own["wall"], "cpu": own["cpu"], "memory": figures["memory"]}


def by_duckdb(options):
    """Computes and writes all marts; tells how long that took without what Python computes."""
    import duckdb

    spec = importlib.util.spec_from_file_location("interop_marts", PROJECT / "tests" / "interop" / "marts.py")
    interop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(interop)
    apart = {"wall": 0.0, "cpu": 0.0}
    for name in ("add_removal_effects", "add_revenue_intervals"):
        setattr(interop, name, set_apart(getattr(interop, name), apart))
    out = options.folder / "duckdb-marts"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    root = options.duckdb_only / "nightly"
    number = (root / "CURRENT").read_text(encoding="utf-8").strip()
    tables = json.loads((root / "generations" / f"{number}.json").read_text(encoding="utf-8"))["tables"]
    begun, cpu = time.monotonic(), processor_seconds()
    database = duckdb.connect()
    database.execute(f"SET threads = {options.threads}")
    database.execute("SET TimeZone = 'Asia/Shanghai'")
    interop.make_clean_views(database, root, tables)
    for mart, query in interop.recomputed(database).items():
        database.execute(f"COPY ({query}) TO '{out / mart}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    wall = time.monotonic() - begun - apart["wall"]
    print(json.dumps({"wall": wall, "cpu": processor_seconds() - cpu - apart["cpu"]}))


def set_apart(function, apart):
    def timed(database):
        begun, cpu = time.monotonic(), processor_seconds()
        function(database)
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
    if options.duckdb_only:
        return by_duckdb(options)
    options.martlet = options.martlet.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "work").mkdir(exist_ok=True)
    python, raw, warehouse = prepared(options)
    pairs = []
    for round_number in range(options.rounds + 1):
        ours = run_martlet(options, raw, warehouse)
        theirs = run_duckdb(options, python, warehouse)
        # The first round warms the caches of the system.
        if round_number > 0:
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
