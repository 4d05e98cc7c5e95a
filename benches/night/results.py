"""Keeps what was measured in results/*.json, and writes benches/RESULTS.md from it."""

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "results"
PAGE = HERE.parent / "RESULTS.md"
UNITS = {"wall": "s", "cpu": "s", "memory": "MiB", "read": "MB", "written": "MB"}
# What each peer is, and in what it does less than martlet.
PEERS = {
    "duckdb": "a script in Python that runs `night.sql` on DuckDB, tables in memory; label propagation and the Markov chain are Python around SQL, the resampling is NumPy.",
    "dbt": "dbt-duckdb, a model for each statement of the same SQL, in a database file, as many models at once as there are threads; no tests.",
    "polars": "lazy Polars, nine of the 22 marts; rows that Polars cannot tell to be broken are set aside by a look at each line first.",
    "pyspark": "Spark SQL, local mode, nine of the 22 marts; the Java machine's start is part of its night.",
    "datafusion": "stock DataFusion, the engine that martlet is built on, with SQL alone and none of martlet's operators, tables in memory; label propagation and the Markov chain are "
                  "Python around SQL, the resampling is NumPy, and pyarrow decodes NDJSON and CSV.",
    "shipped": "martlet with the pipeline as it is shipped: what the limits on identifiers cost.",
    "floor": "the program in `benches/floor`, which decompresses the exports, finds their fields and writes them as Parquet, and nothing else.",
}


def machine():
    model = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions(martlet, python):
    """Returns the version of everything that was run."""
    told = subprocess.run([martlet, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    listed = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True).stdout
    wanted = {"duckdb", "numpy", "polars", "datafusion", "pyarrow", "dbt-core", "dbt-duckdb", "pyspark"}
    return {"martlet": told, "python": platform.python_version(), **{one["name"]: one["version"] for one in json.loads(listed) if one["name"] in wanted}}


def keep(options, python, peer, raw, pairs, compared):
    """Keeps the pairs of one peer, and writes the page anew."""
    KEPT.mkdir(exist_ok=True)
    file = KEPT / f"{options.size}.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    kept["customers"] = options.customers
    kept["raw_megabytes"] = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file()) / 1e6
    commit = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, cwd=HERE, check=False).stdout.strip()
    kept.setdefault("peers", {})[peer] = {
        "date": datetime.date.today().isoformat(), "machine": machine(), "commit": commit, "threads": options.threads,
        "versions": versions(options.martlet, python), "pairs": pairs, "compared": compared,
    }
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    write_page()


def write_page():
    sizes = {size: KEPT / f"{size}.json" for size in ("S", "M", "L")}
    found = {size: json.loads(file.read_text(encoding="utf-8")) for size, file in sizes.items() if file.exists()}
    lines = [(HERE / "preface.md").read_text(encoding="utf-8").strip(), ""]
    measured = {peer for kept in found.values() for peer in kept["peers"]}
    lines += ["## Peers", "", *(f"- {peer}: {text}" for peer, text in PEERS.items() if peer in measured), ""] if measured else []
    for size, kept in found.items():
        lines += size_section(size, kept)
    growth = KEPT / "growth.md"
    if growth.exists():
        lines += [growth.read_text(encoding="utf-8").strip(), ""]
    profile = HERE / "profile.md"
    if profile.exists():
        lines += [profile.read_text(encoding="utf-8").strip(), ""]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def size_section(size, kept):
    lines = [f"## Size {size}: {kept['customers']:,} customers, 30 days, {kept['raw_megabytes']:,.0f} MB of raw exports", ""]
    lines += ["| martlet / peer | wall | processor | peak memory | bytes read | bytes written | marts equal | rounds | date |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
    for peer, one in kept["peers"].items():
        cells = [spread([pair["martlet"][figure] / max(pair["peer"][figure], 1e-9) for pair in one["pairs"]]) for figure in UNITS]
        marts = [line for line in one["compared"] if line.endswith((", equal", ": not computed")) and not line.startswith("customers:")]
        equal = sum(line.endswith(", equal") for line in marts)
        told = f"{equal} of {len(marts)}" if marts else "–"
        lines.append(f"| {peer} | {' | '.join(cells)} | {told} | {len(one['pairs'])} | {one['date']} |")
    lines += ["", "Medians, and least to greatest. The same in figures, medians:", ""]
    lines += ["| program | wall, s | processor, s | peak memory, MiB | read, MB | written, MB |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for peer, one in kept["peers"].items():
        for side, name in (("martlet", f"martlet beside {peer}"), ("peer", peer)):
            cells = [f"{statistics.median(pair[side][figure] for pair in one['pairs']):,.{1 if figure in ('wall', 'cpu') else 0}f}" for figure in UNITS]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "Seconds by step, medians:", ""]
    for peer, one in kept["peers"].items():
        for side, name in (("martlet", f"martlet beside {peer}"), ("peer", peer)):
            steps = {step: statistics.median(pair[side]["steps"].get(step, 0) for pair in one["pairs"]) for step in one["pairs"][0][side]["steps"]}
            if steps:
                lines.append(f"- {name}: " + ", ".join(f"{step} {seconds:.2f}" for step, seconds in steps.items()))
    lines += ["", "Measured on:", ""]
    told = {}
    for peer, one in kept["peers"].items():
        by = ", ".join(f"{name} {version.removeprefix(name).strip()}" for name, version in one["versions"].items())
        told.setdefault(f"{one['machine']}; {one['threads']} threads; commit {one['commit']}; {by}", []).append(peer)
    lines += [f"- {', '.join(peers)}: {text}" for text, peers in told.items()]
    return [*lines, ""]


def spread(values):
    form = lambda value: f"{value:.2f}" if value < 10 else f"{value:.0f}"  # noqa: E731
    return f"**{form(statistics.median(values))}** ({form(min(values))}–{form(max(values))})"


if __name__ == "__main__":
    write_page()
