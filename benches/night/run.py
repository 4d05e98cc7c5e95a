#!/usr/bin/env python3
"""Measures a whole night side by side: martlet and each peer turn the same raw exports into the same marts, in turn.

usage: run.py MARTLET [--size S|M|L] [--peers duckdb,dbt,...] [--rounds N] [--threads N] [--folder DIR] [--scratch]

MARTLET is a release build. Data (`martlet sample`, 30 days), the peers' environment and what all write lie in DIR
(bench below the target folder by default). Every program runs as a process of its own, on the same cores, and is measured as a
whole: wall time, processor time, peak memory, bytes read and written. In each round martlet runs right before each peer, and
their figures are divided; prints median, least and greatest ratio, then the seconds of each step where a program tells
them. Fails where marts differ, see compare.py.

`shipped` is no peer but martlet with the pipeline as it is shipped; `floor` is the program of benches/floor. What was found
goes to results/<size>.json and benches/RESULTS.md, unless --scratch is given or --customers asks for a size of its own. With --rounds 0 marts are compared and nothing is measured.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import venv

import results
from measure import measured
from spans import step_seconds

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
SIZES = {"S": 20_000, "M": 200_000, "L": 2_000_000}
DAYS = 30
AS_OF = "2026-01-31"
# DuckDB compares, whoever is the peer; pytz is what it needs for times with a zone.
COMPARES = ["duckdb==2.0.0", "pytz"]
PACKAGES = {
    "duckdb": ["numpy==2.4.6"],
    "polars": ["polars==2.1.0"],
    # The newest dbt installs a program from elsewhere.
    "dbt": ["dbt-core<1.11", "dbt-duckdb<1.11", "numpy==2.4.6"],
    "pyspark": ["pyspark==4.3.0"],
    "datafusion": ["datafusion==55.0.0", "pyarrow==26.0.1", "numpy==2.4.6"],
    "shipped": [],
    "floor": [],
}
NO_PEERS = ("shipped", "floor")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--customers", type=int)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=["duckdb"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
    parser.add_argument("--folder", type=pathlib.Path, default=target / "bench")
    parser.add_argument("--floor", type=pathlib.Path, help="the bench program `floor` of a release build")
    parser.add_argument("--scratch", action="store_true")
    options = parser.parse_args()
    options.scratch |= options.customers is not None or options.rounds == 0
    options.customers = options.customers or SIZES[options.size]
    options.martlet, options.folder = options.martlet.resolve(), options.folder.resolve()
    return options


def prepare_environment(folder, peers):
    """Makes the environment of the peers where it is not there yet; returns its Python."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
    known = folder / "venv" / "installed.json"
    installed = json.loads(known.read_text()) if known.exists() else []
    wanted = [package for name in ["", *peers] for package in (PACKAGES[name] if name else COMPARES)]
    if missing := [package for package in wanted if package not in installed]:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *missing], check=True)
        known.write_text(json.dumps([*installed, *missing]))
    return python


def prepare_raw(martlet, folder, customers, days=DAYS):
    """Makes the exports where they are not there yet."""
    raw = folder / f"raw-{customers}-{days}"
    if not raw.exists():
        partial = raw.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        last_day = datetime.date.fromisoformat(AS_OF) - datetime.timedelta(days=1)
        size = ["--customers", customers, "--days", days, "--last-day", last_day]
        subprocess.run(list(map(str, [martlet, "sample", *size, "--out", partial])), check=True, stdout=subprocess.DEVNULL)
        partial.rename(raw)
    return raw


def prepare_project(folder):
    """Makes the project that is measured: the shipped one, without what SQL alone cannot say about customers.

    A link that would give a customer too many identifiers is refused by martlet, one link after the other in order of strength
    and age. Peers group by connected components, so here every link counts but those of values that too many share.
    """
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(PROJECT / "sql", project / "sql")
    (project / "pipelines").mkdir()
    shipped = (PROJECT / "pipelines" / "nightly.yaml").read_text(encoding="utf-8")
    shutil.copy(PROJECT / "pipelines" / "nightly.yaml", project / "pipelines" / "shipped.yaml")
    measured_one, count = re.subn(r"(unique: true|max_per_customer: \d+), ", "", shipped)
    if count != 4:
        sys.exit(f"{count} limits of identifiers were found in the shipped pipeline, not 4")
    (project / "pipelines" / "nightly.yaml").write_text(measured_one, encoding="utf-8")
    return project


def run_martlet(options, raw, pipeline="nightly", warehouse="martlet", extra=(), fresh=True):
    """Runs a night; returns its report and figures."""
    out = options.folder / "out" / warehouse
    if fresh:
        shutil.rmtree(out, ignore_errors=True)
    told, figures = measured([
        options.martlet, "--project", options.folder / "project", "run", f"pipelines/{pipeline}.yaml", "--as-of", AS_OF, "--raw", raw,
        "--warehouse", out, "--work", options.folder / "work", "--threads", options.threads, "--format", "json", "-q", *extra,
    ], options.threads)
    report = json.loads(told)
    return report, {**figures, "steps": step_seconds(report["steps"])}


def run_peer(options, python, peer, raw):
    """Runs a peer; returns its figures."""
    if peer == "shipped":
        return run_martlet(options, raw, "shipped", "shipped")[1]
    out = options.folder / "out" / peer
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [options.floor, raw, out, options.threads] if peer == "floor" else [python, HERE / "peers" / f"{peer}_night.py", raw, out, options.threads]
    with open(options.folder / f"{peer}.log", "w", encoding="utf-8") as log:
        told, figures = measured(command, options.threads, {"PATH": f"{python.parent}:{os.environ['PATH']}"}, log)
    # The floor has no steps; it tells how many bytes it has read.
    return {**figures, "steps": {} if peer == "floor" else json.loads(told.splitlines()[-1])}


def compare(options, python, peer):
    """Compares the marts of the last runs; returns what became of each, and ends the program where one differs."""
    if peer in NO_PEERS:
        return []
    command = [python, HERE / "compare.py", options.folder / "out" / "martlet" / "nightly", options.folder / "out" / peer]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"martlet and {peer} publish different marts:\n{ended.stdout}{ended.stderr}")
    return ended.stdout.splitlines()


def measure_peer(options, python, peer, raw):
    """Runs martlet and a peer in turn; returns the figures of each pair, and the comparison of their marts."""
    pairs, compared = [], []
    # The first round warms the caches of the system, and its marts are compared.
    for number in range(options.rounds + 1):
        ours = run_martlet(options, raw)[1]
        theirs = run_peer(options, python, peer, raw)
        if number == 0:
            compared = compare(options, python, peer)
        else:
            pairs.append({"martlet": ours, "peer": theirs})
    return pairs, compared


def show(peer, pairs, compared):
    print(f"martlet / {peer}, {len(pairs)} rounds:")
    for figure in results.UNITS if pairs else ():
        ratios = [pair["martlet"][figure] / max(pair["peer"][figure], 1e-9) for pair in pairs]
        ours, theirs = (statistics.median(pair[side][figure] for pair in pairs) for side in ("martlet", "peer"))
        spread = f"median {statistics.median(ratios):.2f}  least {min(ratios):.2f}  greatest {max(ratios):.2f}"
        print(f"  {figure:<8} {spread}   ({ours:.2f} / {theirs:.2f} {results.UNITS[figure]})")
    for side in ("martlet", "peer") if pairs else ():
        steps = {step: statistics.median(pair[side]["steps"].get(step, 0) for pair in pairs) for step in pairs[0][side]["steps"]}
        if steps:
            print(f"  {side if side == 'martlet' else peer}: " + ", ".join(f"{step} {seconds:.2f} s" for step, seconds in steps.items()))
    for line in compared:
        print(f"  {line}", flush=True)


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    python = prepare_environment(options.folder, options.peers)
    raw = prepare_raw(options.martlet, options.folder, options.customers)
    prepare_project(options.folder)
    for peer in options.peers:
        pairs, compared = measure_peer(options, python, peer, raw)
        show(peer, pairs, compared)
        if not options.scratch:
            results.keep(options, python, peer, raw, pairs, compared)


if __name__ == "__main__":
    main()
