#!/usr/bin/env python3
"""Measures ingest side by side: martlet, DuckDB and Polars decode, clean, deduplicate and write the same files in turn.

usage: run.py MARTLET [--customers N] [--days N] [--rounds N] [--threads N] [--folder DIR] [--peers duckdb,polars] [--floor FLOOR]

MARTLET is a release build. Data, the peers' environment and what all write lie in DIR (target/bench by default). Prints
ratios of martlet to each peer, pair by pair: median, least and greatest; then how martlet's own time is spent, step by
step, and how many megabytes of decompressed text it decodes and cleans a second on one core. Fails where a peer keeps other rows.
FLOOR is the bench program `floor` of a release build, which decompresses the same files, finds their fields and writes them as
Parquet, and nothing else; it is measured as another peer.
"""

import argparse
import gzip
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "night"))

from spans import step_seconds  # noqa: E402

FOLDERS = {"web_events": "web", "app_events": "app", "store_sales": "store"}
PEERS = {"duckdb": "duckdb==2.0.0", "polars": "polars==2.1.0"}
# Polars cuts rows of too many fields instead of telling them, so it keeps a few rows that are rejects.
SURPLUS = {"duckdb": 0, "polars": 0.005}
COMPRESSED = {".gz": gzip.open}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, default=HERE.parent.parent / "target" / "bench")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS))
    parser.add_argument("--floor", type=pathlib.Path)
    return parser.parse_args()


def prepared(options):
    """Makes data and the peer's environment, where they are not there yet."""
    python = options.folder / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(options.folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS.values()], check=True)
    raw = options.folder / f"raw-{options.customers}-{options.days}"
    if not raw.exists():
        size = ["--customers", str(options.customers), "--days", str(options.days)]
        subprocess.run([options.martlet, "sample", *size, "--out", raw], check=True, stdout=subprocess.DEVNULL)
    return python, raw


def measured(command):
    """Runs a command; returns what it wrote to stdout, and its wall time, CPU time and peak memory."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return told, {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss}


def run_martlet(options, raw, pipeline="ingest"):
    out = options.folder / "martlet"
    shutil.rmtree(out, ignore_errors=True)
    told, figures = measured([
        options.martlet, "--project", HERE, "run", f"pipelines/{pipeline}.yaml", "--as-of", "2026-01-31", "--raw", raw,
        "--warehouse", out, "--work", options.folder, "--threads", str(options.threads), "--format", "json", "-q",
    ])
    report = json.loads(told)
    figures["steps"] = step_seconds(report["steps"])
    figures["clean"] = {step["subject"]: step["elapsed_ms"] / 1000 for step in report["steps"] if step["step"] == "clean"}
    return {source["source"]: source["kept"] for source in report["sources"]}, figures


def run_peer(options, python, peer, raw):
    out = options.folder / peer
    shutil.rmtree(out, ignore_errors=True)
    told, figures = measured([python, HERE / f"{peer}_ingest.py", raw, out, str(options.threads)])
    return {source: counts["kept"] for source, counts in json.loads(told).items()}, figures


def run_floor(options, raw):
    """Runs the floor over the folders of the three sources, put beside each other by second names of their files."""
    alone, out = raw.with_name(f"{raw.name}-ingest"), options.folder / "floor"
    for folder in FOLDERS.values():
        if not (alone / folder).exists():
            shutil.copytree(raw / folder, alone / folder, copy_function=os.link)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return measured([options.floor, alone, out, str(options.threads)])[1]


def text_megabytes(raw, folder):
    """Returns how long the texts of a source are once they are decompressed."""
    total = 0
    for path in (raw / folder).rglob("*.*"):
        with COMPRESSED.get(path.suffix, open)(path, "rb") as stream:
            while piece := stream.read(1 << 20):
                total += len(piece)
    return total / 1e6


def compare(peer, kept, peer_kept):
    """Ends the program where a peer keeps other rows than it may."""
    for source, rows in kept.items():
        surplus = peer_kept[source] - rows
        if not 0 <= surplus <= SURPLUS[peer] * rows:
            sys.exit(f"{peer} keeps other rows of {source}: {peer_kept[source]}, and martlet {rows}")


def show(name, values, form=".2f"):
    print(f"  {name:<16}  median {statistics.median(values):{form}}  least {min(values):{form}}  greatest {max(values):{form}}")


def spent(runs, step):
    return [run["steps"].get(step, 0) for run in runs]


def show_steps(options, raw, runs, decoding):
    """Tells how long each step of martlet took, and the speed of decoding and cleaning."""
    print("martlet's own steps, in seconds:")
    # Decoding and cleaning are one pass over each batch; decoding alone is a run that keeps one column as it is.
    show("decode alone", spent(decoding, "clean"))
    for step, name in {"clean": "decode and clean", "dedupe": "dedupe", "identify": "write"}.items():
        show(name, spent(runs, step))
    show("together", [run["wall"] for run in runs])
    print(f"decode and clean, MB of text a second on each of {options.threads} cores:")
    for source, folder in FOLDERS.items():
        size = text_megabytes(raw, folder)
        show(source, [size / max(run["clean"][source], 1e-3) / options.threads for run in runs], ".0f")


def main():
    options = arguments()
    options.martlet = options.martlet.resolve()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    python, raw = prepared(options)
    peers = options.peers + (["floor"] if options.floor else [])
    pairs = {peer: [] for peer in peers}
    runs, decoding = [], []
    for round_number in range(options.rounds + 1):
        for peer in peers:
            kept, ours = run_martlet(options, raw)
            if peer == "floor":
                theirs = run_floor(options, raw)
            else:
                peer_kept, theirs = run_peer(options, python, peer, raw)
                compare(peer, kept, peer_kept)
            # The first round warms the caches of the system.
            if round_number > 0:
                runs.append(ours)
                pairs[peer].append({figure: ours[figure] / theirs[figure] for figure in theirs})
        if round_number > 0:
            decoding.append(run_martlet(options, raw, "decode")[1])
    print(f"{sum(kept.values())} rows kept, {options.rounds} rounds, {options.threads} threads")
    for peer, ratios in pairs.items():
        print(f"martlet / {peer}:")
        for figure in ("wall", "cpu", "memory"):
            show(figure, [pair[figure] for pair in ratios])
    show_steps(options, raw, runs, decoding)


if __name__ == "__main__":
    main()
