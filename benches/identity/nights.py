#!/usr/bin/env python3
"""Measures what a night costs that adds a little to a large registry.

usage: nights.py MARTLET [--edges N] [--nights N] [--percent N] [--threads N] [--folder DIR]

MARTLET is a release build. A first night takes in all edges, rows of two identifiers; each later night takes in so many
percent more. Shapes: `people`, whose identifiers hang together in small groups, and `random`, most of which is one group.
Prints seconds of processor time, memory, and the time of the steps that see to identity, `identify` and `publish`; then
the median night as a percentage of the first. Fails where the nights one by one group otherwise than one run over all.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "night"))

from spans import step_seconds  # noqa: E402

PIPELINE = """
version: 1
name: edges
timezone: UTC
currency: EUR
stages: [sql]
sources:
  edges:
    load: append
    path: edges/dt={date}/*.csv
    format: csv
    columns:
      "one": { type: string }
      other: { type: string }
identity:
  identifiers:
    node: { priority: 1 }
  links:
    edges: { node: ["one", other] }
  guards: { max_cluster_size: 1000000000, max_p999_size: 1000000000, max_merged_percent: 100 }
publish: [counts]
"""
COUNTS = "SELECT count(*) AS edges FROM edges"
GROUPS = (
    "SELECT count(*) AS groups, sum(size) AS nodes, sum(size * size) AS pairs "
    "FROM (SELECT count(*) AS size FROM identity.map GROUP BY customer_id)"
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--edges", type=int, default=2_000_000)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--percent", type=float, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, default=HERE.parent.parent / "target" / "bench-identity")
    return parser.parse_args()


def people(edges, chance):
    """One edge in eight names someone new, the others one who was there before, with one of ten things of theirs."""
    persons = edges // 8
    for _ in range(edges):
        person = chance.randrange(persons)
        yield f"u{person:031}", f"c{person * 10 + chance.randrange(10):031}"


def scattered(edges, chance):
    nodes = edges * 95 // 100
    for _ in range(edges):
        yield f"n{chance.randrange(nodes):031}", f"n{chance.randrange(nodes):031}"


def made(folder, shape, options):
    """Writes the edges of all nights; returns the folder of each."""
    more = int(options.edges * options.percent / 100)
    chance = random.Random(1)
    edges = shape(options.edges + more * options.nights, chance)
    for night in range(options.nights + 1):
        day = folder / "raw" / "edges" / f"dt=2026-01-{night + 1:02}"
        day.mkdir(parents=True)
        with open(day / "edges.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["one", "other"])
            for _ in range(options.edges if night == 0 else more):
                writer.writerow(next(edges))


class Project:
    def __init__(self, options, folder, warehouse):
        self.command = [options.martlet, "--project", folder, "--raw", folder / "raw"]
        self.command += ["--warehouse", folder / warehouse, "--work", folder / "work"]
        self.threads = str(options.threads)

    def night(self, number):
        """Runs a night; returns its processor seconds, its peak memory and the seconds of its steps."""
        command = [*self.command, "run", "pipelines/edges.yaml", "--as-of", f"2026-01-{number + 2:02}"]
        command += ["--threads", self.threads, "--format", "json", "-q"]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE)
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"night {number} ended with status {status}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, step_seconds(json.loads(told)["steps"])

    def groups(self):
        command = [*self.command, "query", "--pipeline", "edges", "--format", "csv", GROUPS]
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, encoding="utf-8").stdout


def main():
    options = arguments()
    options.martlet = options.martlet.resolve()
    for name, shape in {"people": people, "random": scattered}.items():
        folder = options.folder.resolve() / f"nights-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        for part, text in {"pipelines/edges.yaml": PIPELINE, "sql/counts.sql": COUNTS}.items():
            (folder / part).parent.mkdir(parents=True)
            (folder / part).write_text(text, encoding="utf-8")
        made(folder, shape, options)
        project, nights = Project(options, folder, "warehouse"), []
        for number in range(options.nights + 1):
            cpu, memory, steps = project.night(number)
            identity = steps["identify"] + steps["publish"]
            nights.append((cpu, identity))
            print(
                f"{name:<7} night {number}: {cpu:6.2f} s of processors, {memory:5.0f} MiB; "
                f"identify {steps['identify']:6.2f} s, publish {steps['publish']:6.2f} s",
                flush=True,
            )
        for place, what in enumerate(["processor time", "identify and publish"]):
            later = statistics.median(night[place] for night in nights[1:])
            print(f"{name:<7} a later night, {what}: {100 * later / nights[0][place]:.0f} % of the first")
        at_once = Project(options, folder, "at-once")
        at_once.night(options.nights)
        if project.groups() != at_once.groups():
            sys.exit(f"{name}: nights one by one group otherwise than one run over all")
        shutil.rmtree(folder)


main()
