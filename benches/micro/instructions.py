#!/usr/bin/env python3
"""Counts the instructions of micro-benchmarks and compares them with what they were.

usage: instructions.py [--update] [NAME...]

Builds the benchmarks with cargo as `cargo bench` does. A NAME is one of them, such as `clean/email`, or the word before the
`/` for all that have it; without any, all are counted. Each runs in a process of its own below valgrind, once for nothing
and once counted, preparation left out: the count does not depend on how busy the machine is. It needs cargo, valgrind, and
nothing but Python's standard library.

Counts are compared with `instructions.json` beside this. Exits with 1 where one has grown by more than the tolerance.
Counts repeat to the percent, but not across builds: what the compiler inlines somewhere depends on code elsewhere, and has
moved a benchmark by 11 % that nobody had touched. The tolerance is wide enough for that, for another compiler, C library or
valgrind, and narrow enough for an algorithm that got worse. The file tells where it was written: on another processor counts
are shown and nothing fails. --update counts twice and writes the file anew; what differs from itself by more than the
spread is not compared from then on.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

FILE = pathlib.Path(__file__).with_name("instructions.json")
SHOWN_FILE = "benches/micro/instructions.json"
# The function of the benchmark program that does the work and nothing else.
COUNTED = "*micro::counted*"
# In percent.
TOLERANCE, SPREAD = 25, 1
# What valgrind's own processor takes over from the real one; it has nothing newer.
FEATURES = ("avx", "avx2", "cx16", "f16c", "rdrand", "sse4_2")
# The allocator's threads, and what it gives back by the clock, would make every run another one.
ALLOCATOR = "narenas:1,background_thread:false,dirty_decay_ms:-1,muzzy_decay_ms:-1"


def main():
    arguments = parsed()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed")
    micro = built()
    names = asked(micro, arguments.names)
    (update if arguments.update else compare)(micro, names, complete=not arguments.names)


def parsed():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2].removeprefix("usage: "))
    parser.add_argument("names", metavar="NAME", nargs="*")
    parser.add_argument("--update", action="store_true")
    return parser.parse_intermixed_args()


def built():
    """Builds the benchmarks and returns the path of their program."""
    command = ["cargo", "bench", "--no-run", "--locked", "--bench", "micro", "--message-format=json-render-diagnostics"]
    build = subprocess.run(command, cwd=FILE.parent, stdout=subprocess.PIPE, text=True)
    if build.returncode != 0:
        sys.exit("the benchmarks cannot be built")
    messages = map(json.loads, build.stdout.splitlines())
    # The command itself is built beside them.
    programs = (message for message in messages if message.get("executable"))
    return next(program["executable"] for program in programs if program["target"]["name"] == "micro")


def asked(micro, wanted):
    known = subprocess.run([micro, "--names"], check=True, capture_output=True, text=True).stdout.split()
    for word in wanted:
        if not any(belongs(name, word) for name in known):
            sys.exit(f"there is no benchmark `{word}`; there are {', '.join(known)}")
    return [name for name in known if not wanted or any(belongs(name, word) for word in wanted)]


def belongs(name, word):
    return name == word or name.startswith(f"{word}/")


def counts(micro, names):
    """Counts some at once; yields them in their order."""
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield from zip(names, pool.map(lambda name: count(micro, name), names))


def count(micro, name):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", f"--toggle-collect={COUNTED}", f"--callgrind-out-file={out}"]
        environment = {**os.environ, "_RJEM_MALLOC_CONF": ALLOCATOR}
        run = subprocess.run(
            [*command, micro, "--once", name], capture_output=True, text=True, env=environment,
        )
        if run.returncode != 0:
            sys.exit(f"{name} failed: {run.stderr.strip()}")
        found = re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.MULTILINE)
    if not found or int(found[1]) == 0:
        sys.exit(f"{name}: nothing was counted; there is no function {COUNTED} in {micro}")
    return int(found[1])


def update(micro, names, complete):
    before = json.loads(FILE.read_text()) if FILE.exists() else {}
    complete = complete or not before
    if not complete and before["made_by"] != made_by():
        sys.exit(f"{SHOWN_FILE} is of another machine or compiler; update all of it")
    compared = {} if complete else before["instructions"]
    varying = {} if complete else before["not_compared"]
    second = dict(counts(micro, names))
    for name, first in counts(micro, names):
        lower, upper = sorted([first, second[name]])
        compared.pop(name, None)
        varying.pop(name, None)
        if upper / lower - 1 > SPREAD / 100:
            varying[name] = f"two runs differ by {(upper / lower - 1) * 100:.1f} %"
        else:
            compared[name] = upper
        print(f"{name:36} {upper:>14,}  {varying.get(name, '')}".rstrip(), flush=True)
    text = {
        "about": "Instructions of each micro-benchmark, written by instructions.py --update, which tells more.",
        "made_by": made_by(),
        "instructions": dict(sorted(compared.items())),
        "not_compared": dict(sorted(varying.items())),
    }
    FILE.write_text(json.dumps(text, indent=2) + "\n")


def made_by():
    """Tells what counts depend on besides the code."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        flags = None
    flags = flags[1].split() if flags else []
    return {
        "architecture": platform.machine(),
        "features": [feature for feature in FEATURES if feature in flags],
        "libc": " ".join(platform.libc_ver()),
        "valgrind": told("valgrind", "--version"),
        "rustc": told("rustc", "--version"),
    }


def told(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def tolerance(then, now):
    """Returns by how many percent a count may grow, if it may grow at all, and why so many."""
    if now["architecture"] != then["architecture"] or now["features"] != then["features"]:
        return None, f"{SHOWN_FILE} was written on another processor: counts are shown and nothing fails"
    others = [what for what in then if now[what] != then[what]]
    if others:
        return TOLERANCE, f"{SHOWN_FILE} was written with another {', '.join(others)}"
    return TOLERANCE, "on the machine and by the compiler the file was written with"


def compare(micro, names, complete):
    if not FILE.exists():
        sys.exit(f"there is no {SHOWN_FILE}; --update writes it")
    file = json.loads(FILE.read_text())
    allowed, why = tolerance(file["made_by"], made_by())
    print(f"{why}; " + ("no tolerance" if allowed is None else f"tolerance {allowed} %"), flush=True)
    before, skipped = file["instructions"], file["not_compared"]
    failures = []
    for name, now in counts(micro, [name for name in names if name not in skipped]):
        then = before.get(name)
        print(f"{name:36} {now:>14,}" + (f"  x {now / then:.3f}" if then else "  new"), flush=True)
        if not then:
            failures.append(f"{name} is not in {SHOWN_FILE}")
        elif allowed is not None and now > then * (1 + allowed / 100):
            failures.append(
                f"{name} takes more instructions than it did: {then:,} before, {now:,} now, x {now / then:.3f}, "
                f"where x {1 + allowed / 100:.2f} is allowed"
            )
        elif now < then * (1 - TOLERANCE / 100):
            print(f"{'':36} less than before; --update {name} keeps it so")
    if complete:
        gone = sorted((before.keys() | skipped.keys()) - set(names))
        failures += [f"{name} is in {SHOWN_FILE}, and is no benchmark" for name in gone]
    if failures:
        print(
            *failures,
            "hint: where that is meant, `python3 benches/micro/instructions.py --update [NAME...]` writes the counts "
            "anew; a commit that does so says why",
            sep="\n", file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
