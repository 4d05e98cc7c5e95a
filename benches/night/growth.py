#!/usr/bin/env python3
"""Measures how martlet grows: with nights, history, customers, stages and cores.

usage: growth.py MARTLET [--customers N] [--rounds N] [--only nights,history,customers,stages,cores] [--folder DIR] [--scratch]

MARTLET is a release build; data and warehouses lie in DIR (bench below the target folder by default). Customers are 20,000 where
nothing is said, and ten times as many for the curve of customers. What was found goes to results/growth.json, and as curves
to results/*.svg and benches/RESULTS.md, unless --scratch is given.
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

import results
import run
from curves import svg
from measure import measured
from spans import step_seconds

LAST_AS_OF = datetime.date.fromisoformat(run.AS_OF)
FILE = results.KEPT / "growth.json"
PAGE = results.KEPT / "growth.md"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(KINDS))
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", run.PROJECT / "target"))
    parser.add_argument("--folder", type=pathlib.Path, default=target / "bench")
    parser.add_argument("--scratch", action="store_true")
    options = parser.parse_args()
    options.martlet, options.folder = options.martlet.resolve(), options.folder.resolve()
    return options


def prepare_project(folder):
    """Makes the project that is measured: the shipped one, but for its limits of rejects.

    Nights one by one bring a handful of some records, of which one in a hundred is damaged: by chance more than a few percent.
    """
    pipeline = run.prepare_project(folder) / "pipelines" / "shipped.yaml"
    text, count = re.subn(r"rejects: \{ max_percent: \d+ \}", "rejects: { max_percent: 100 }", pipeline.read_text(encoding="utf-8"))
    if count == 0:
        sys.exit("the shipped pipeline has no limits of rejects")
    pipeline.write_text(text, encoding="utf-8")


def night(options, raw, warehouse, as_of=LAST_AS_OF, fresh=True, project="project", threads=None, extra=()):
    """Runs the night of a date; returns its figures. A warehouse that is not fresh is built upon."""
    out = options.folder / "out" / warehouse
    if fresh:
        shutil.rmtree(out, ignore_errors=True)
    threads = threads or options.threads
    told, figures = measured([
        options.martlet, "--project", options.folder / project, "run", "pipelines/shipped.yaml", "--as-of", as_of, "--raw", raw, "--warehouse", out,
        "--work", options.folder / "work", "--threads", threads, "--format", "json", "-q", *extra,
    ], threads)
    return {**figures, "steps": step_seconds(json.loads(told)["steps"])}


def medians(runs):
    """Returns the median of each figure of several runs."""
    steps = {step: statistics.median(one["steps"].get(step, 0) for one in runs) for step in runs[0]["steps"]}
    return {**{figure: statistics.median(one[figure] for one in runs) for figure in results.UNITS}, "steps": steps}


def repeated(options, measure):
    return medians([measure() for _ in range(options.rounds)])


def nights(options):
    """Nights 1 to 30, one on the other."""
    raw = run.prepare_raw(options.martlet, options.folder, options.customers)
    first = LAST_AS_OF - datetime.timedelta(days=run.DAYS - 1)
    days = [first + datetime.timedelta(days=number) for number in range(run.DAYS)]
    # In its first two days the shop writes to nobody, so there is a source without any object.
    extra = ["--allow-incomplete"]
    return [{"x": number + 1, **night(options, raw, "nights", day, fresh=number == 0, extra=extra)} for number, day in enumerate(days)]


def history(options):
    """The night after 30 and after 300 days of history, and the same night from nothing."""
    points = []
    for days in (30, 300):
        raw = run.prepare_raw(options.martlet, options.folder, options.customers, days + 1)
        night(options, raw, "history", LAST_AS_OF - datetime.timedelta(days=1))
        before = options.folder / "out" / "history-before"
        shutil.rmtree(before, ignore_errors=True)
        (options.folder / "out" / "history").rename(before)
        later, full = [], []
        for _ in range(options.rounds):
            shutil.rmtree(options.folder / "out" / "history", ignore_errors=True)
            shutil.copytree(before, options.folder / "out" / "history")
            later.append(night(options, raw, "history", fresh=False))
            full.append(night(options, raw, "full"))
        points.append({"x": days, "full": medians(full), **medians(later)})
    return points


def customers(options):
    """A full night for so many customers and for ten times as many."""
    points = []
    for number in (options.customers // 10, options.customers, options.customers * 10):
        raw = run.prepare_raw(options.martlet, options.folder, number)
        points.append({"x": number, **repeated(options, lambda raw=raw: night(options, raw, "full"))})
    return points


def stages(options):
    """A full night with the stages of `sql/marts` once, three and ten times, on a tenth of the customers."""
    raw = run.prepare_raw(options.martlet, options.folder, options.customers // 10)
    points = []
    for times in (1, 3, 10):
        count = multiply_stages(options.folder, times)
        points.append({"x": count, **repeated(options, lambda: night(options, raw, "full", project="stages"))})
    return points


def multiply_stages(folder, times):
    """Makes a project with copies of all marts, which read each other's copies; returns how many stages it has."""
    project = folder / "stages"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(folder / "project", project)
    marts = sorted(path.stem for path in (project / "sql" / "marts").glob("*.sql"))
    names = re.compile(rf"(?<!\$)\b({'|'.join(marts)})\b")
    pipeline = project / "pipelines" / "shipped.yaml"
    text = pipeline.read_text(encoding="utf-8")
    published = text[text.index("\npublish:\n"):]
    copies = []
    for number in range(2, times + 1):
        for path in list((folder / "project" / "sql" / "marts").iterdir()):
            copy = names.sub(rf"\1_{number}", path.read_text(encoding="utf-8"))
            # Variables belong to all stages, and are declared by the original; a night runs no tests.
            copy = re.sub(r"^(?:variables|tests):.*\n(?:[ #].*\n|\n)*", "", copy, flags=re.MULTILINE)
            (project / "sql" / "marts" / f"{path.stem}_{number}{path.suffix}").write_text(copy, encoding="utf-8")
        copies += [f"  - {name}_{number}" for name in re.findall(r"- (\w+)", published) if name in marts]
    pipeline.write_text(text.rstrip() + "\n" + "\n".join(copies) + "\n", encoding="utf-8")
    return sum(len(list((project / "sql" / part).glob("*.sql"))) for part in ("staging/nightly", "marts"))


def cores(options):
    """A full night on one core and on two."""
    raw = run.prepare_raw(options.martlet, options.folder, options.customers)
    return [
        {"x": threads, **repeated(options, lambda threads=threads: night(options, raw, "full", threads=threads))}
        for threads in range(1, options.threads + 1)
    ]


KINDS = {"nights": nights, "history": history, "customers": customers, "stages": stages, "cores": cores}
TITLES = {
    "nights": ("Nights one by one", "night"),
    "history": ("A night on days of history", "days of history"),
    "customers": ("A full night by customers", "customers"),
    "stages": ("A full night by stages, of a tenth of the customers", "stages"),
    "cores": ("A full night by cores", "cores"),
}


def write_page(kept):
    lines = ["## Growth", "", "martlet alone, with the pipeline as it is shipped, but for its limits of rejects.", ""]
    for kind, (title, what) in TITLES.items():
        if kind not in kept:
            continue
        one = kept[kind]
        points = one["points"]
        lines += [f"### {title}", "", f"{one['customers']:,} customers unless the table says otherwise; {one['machine']}; {one['date']}; "
                  f"{one['rounds']} rounds, medians.", "", f"![{title}](night/results/{kind}.svg)", ""]
        full = "full" in points[0]
        head = [what, "wall, s", "processor, s", "peak memory, MiB", "read, MB", "written, MB"] + (["same night in full: wall, s", "processor, s"] if full else [])
        lines += [f"| {' | '.join(head)} |", f"|{' ---: |' * len(head)}"]
        for point in points:
            cells = [f"{point['x']:,}"] + [f"{point[figure]:,.{2 if figure in ('wall', 'cpu') else 0}f}" for figure in results.UNITS]
            cells += [f"{point['full'][figure]:,.2f}" for figure in ("wall", "cpu")] if full else []
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
        series = {"wall, s": [point["wall"] for point in points], "processor, s": [point["cpu"] for point in points]}
        (results.KEPT / f"{kind}.svg").write_text(svg(title, what, [point["x"] for point in points], series), encoding="utf-8")
    PAGE.write_text("\n".join(lines), encoding="utf-8")


def keep(options, kind, points):
    """Keeps what was found of a curve, and writes the pages anew."""
    results.KEPT.mkdir(exist_ok=True)
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    kept[kind] = {
        "date": datetime.date.today().isoformat(), "machine": results.machine(), "customers": options.customers, "rounds": 1 if kind == "nights" else options.rounds,
        "points": points,
    }
    FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    write_page(kept)
    results.write_page()


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    prepare_project(options.folder)
    for kind in options.only:
        if kind not in KINDS:
            sys.exit(f"there is no curve `{kind}`")
        points = KINDS[kind](options)
        for point in points:
            print(f"{kind} {point['x']:>7}: " + "  ".join(f"{figure} {point[figure]:.2f}" for figure in results.UNITS), flush=True)
        if not options.scratch:
            keep(options, kind, points)


if __name__ == "__main__":
    main()
