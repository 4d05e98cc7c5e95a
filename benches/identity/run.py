#!/usr/bin/env python3
"""Measures identity side by side: martlet, DuckDB's label propagation and Splink's clustering resolve the same edges in turn.

usage: run.py PROGRAM [--rounds N] [--threads N] [--scale N] [--shapes A,B] [--peers A,B] [--folder DIR]

PROGRAM is the bench program `identity` of a release build: `cargo bench --no-run --bench identity` prints its path. Edges,
the peers' environment and the maps lie in DIR (target/bench-identity by default). Shapes: a random graph of 2 M edges over
1.6 M identifiers (times --scale), a path and a star of 1 M. Prints wall time, memory and the ratio to each peer, round by
round. Fails where one of them groups otherwise. The path is asked of martlet alone: labels would go one step a round.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["duckdb==2.0.0", "splink==5.0.0"]
SHAPES = {
    # Texts as long as cookies, so that hashing them costs what it costs on real data.
    "random": (
        "SELECT md5((hash(i * 2 + 1) % {nodes})::VARCHAR) AS \"left\", "
        "md5((hash(i * 2) % {nodes})::VARCHAR) AS \"right\", i AS seen FROM range({edges}) AS t(i)"
    ),
    "path": "SELECT md5(i::VARCHAR) AS \"left\", md5((i + 1)::VARCHAR) AS \"right\", i AS seen FROM range(1000000) AS t(i)",
    "star": "SELECT md5('hub') AS \"left\", md5(i::VARCHAR) AS \"right\", i AS seen FROM range(1000000) AS t(i)",
}
GENERATE = """
import duckdb, sys
sql, path = sys.argv[1:]
duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 100000)")
"""
# Every identifier takes the least label of itself and its neighbours; in each round, labels that became less spread on.
PROPAGATE = """
import duckdb, sys
edges, out, threads = sys.argv[1:]
db = duckdb.connect(config={"threads": threads, "preserve_insertion_order": "false"})
db.execute(f"CREATE TABLE ends AS SELECT DISTINCT \\"left\\" AS a, \\"right\\" AS b FROM '{edges}' WHERE \\"left\\" <> \\"right\\"")
db.execute("CREATE TABLE nodes AS SELECT row_number() OVER () AS id, value FROM (SELECT a AS value FROM ends UNION SELECT b FROM ends)")
db.execute("CREATE TABLE links AS WITH l AS (SELECT l.id AS a, r.id AS b FROM ends JOIN nodes l ON l.value = ends.a JOIN nodes r ON r.value = ends.b) SELECT a, b FROM l UNION ALL SELECT b, a FROM l")
db.execute("CREATE TABLE labels AS SELECT a AS id, least(a, min(b)) AS label FROM links GROUP BY a")
db.execute("CREATE TABLE changed AS FROM labels WHERE label < id")
while db.execute("SELECT count(*) FROM changed").fetchone()[0]:
    db.execute("CREATE OR REPLACE TABLE changed AS SELECT id, near AS label FROM (SELECT a AS id, min(label) AS near FROM changed JOIN links ON b = changed.id GROUP BY a) JOIN labels USING (id) WHERE near < labels.label")
    db.execute("UPDATE labels SET label = changed.label FROM changed WHERE changed.id = labels.id")
db.execute(f"COPY (SELECT value, label AS customer_id FROM labels JOIN nodes USING (id)) TO '{out}' (FORMAT parquet)")
"""
# The clustering of Splink without the matching: every edge counts.
CLUSTER = """
import duckdb, sys
from splink import DuckDBAPI
from splink.clustering import cluster_pairwise_predictions_at_threshold
edges, out, threads = sys.argv[1:]
db = duckdb.connect()
db.execute(f"SET threads = {threads}")
db.sql(f"CREATE TABLE ends AS SELECT DISTINCT \\"left\\" AS value_l, \\"right\\" AS value_r FROM '{edges}' WHERE \\"left\\" <> \\"right\\"")
db.sql("CREATE TABLE nodes AS SELECT value_l AS value FROM ends UNION SELECT value_r FROM ends")
found = cluster_pairwise_predictions_at_threshold(
    nodes=db.table("nodes"), edges=db.table("ends"), db_api=DuckDBAPI(connection=db), node_id_column_name="value"
).as_duckdbpyrelation()
db.sql(f"COPY (SELECT value, cluster_id AS customer_id FROM found) TO '{out}' (FORMAT parquet)")
"""
PROGRAMS = {"duckdb": PROPAGATE, "splink": CLUSTER}
# Two maps group alike where their pairs of ids are one to one.
COMPARE = """
import duckdb, sys
ours, theirs = sys.argv[1:]
pairs = f"SELECT DISTINCT o.customer_id AS a, t.customer_id AS b FROM '{ours}' o FULL JOIN '{theirs}' t USING (value)"
n, a, b = duckdb.sql(f"SELECT count(*), count(DISTINCT a), count(DISTINCT b) FROM ({pairs})").fetchall()[0]
sys.exit(0 if n == a == b else f"the maps differ: {n} pairs of {a} and {b} customers")
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--shapes", type=lambda text: text.split(","), default=list(SHAPES))
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PROGRAMS))
    parser.add_argument("--folder", type=pathlib.Path, default=HERE.parent.parent / "target" / "bench-identity")
    return parser.parse_args()


def measured(command):
    """Runs a command; returns its wall time and its peak memory in MiB."""
    begun = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed")
    return time.monotonic() - begun, usage.ru_maxrss / 1024


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    python = options.folder / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(options.folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    size = {"nodes": 1_900_000 * options.scale, "edges": 2_000_000 * options.scale}
    for shape in options.shapes:
        edges = options.folder / f"{shape}-{options.scale}.parquet"
        ours, theirs = options.folder / "ours.parquet", options.folder / "theirs.parquet"
        if not edges.exists():
            subprocess.run([python, "-c", GENERATE, SHAPES[shape].format(**size), str(edges)], check=True)
        ratios = {peer: [] for peer in options.peers}
        for number in range(options.rounds):
            wall, memory = measured([options.program, edges, ours, options.threads])
            line = f"{shape:<8} round {number + 1}: martlet {wall:6.2f} s {memory:6.0f} MiB"
            for peer in options.peers if shape != "path" else []:
                theirs.unlink(missing_ok=True)
                peer_wall, peer_memory = measured([python, "-c", PROGRAMS[peer], edges, theirs, options.threads])
                ratios[peer].append(peer_wall / wall)
                line += f"   {peer} {peer_wall:6.2f} s {peer_memory:6.0f} MiB   {ratios[peer][-1]:.1f} times"
                subprocess.run([python, "-c", COMPARE, str(ours), str(theirs)], check=True)
            print(line, flush=True)
        for peer, ratios in ratios.items():
            if ratios:
                median, least, greatest = statistics.median(ratios), min(ratios), max(ratios)
                print(f"{shape:<8} {peer} / martlet: median {median:.1f}, least {least:.1f}, greatest {greatest:.1f}")


main()
