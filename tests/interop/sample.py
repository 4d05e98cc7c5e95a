"""What the scripts that read the marts of the sample share: a Python that has what they need, and a warehouse to read."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PIPELINE = "nightly"


def read(description, environment, packages, nights, compare):
    """Goes on in `environment`, and compares what some nights have published, in a warehouse that is given or a temporary one."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("martlet", type=pathlib.Path)
    parser.add_argument("--warehouse", type=pathlib.Path)
    options = parser.parse_args()
    enter(environment, packages)
    if options.warehouse:
        return compare(options.warehouse / PIPELINE)
    with tempfile.TemporaryDirectory() as folder:
        warehouse = pathlib.Path(folder) / "warehouse"
        for night in nights:
            command = [options.martlet.resolve(), "run", f"pipelines/{PIPELINE}.yaml", "--as-of", night, "--quiet"]
            command += ["--warehouse", warehouse, "--work", pathlib.Path(folder) / "work"]
            subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        return compare(warehouse / PIPELINE)


def enter(environment, packages):
    """Goes on in a Python that has the packages, which it makes the first time."""
    python = environment / "bin" / "python"
    if pathlib.Path(sys.prefix) == environment:
        return
    mark = environment / "packages.txt"
    wanted = "\n".join(packages)
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        # Other scripts may keep theirs below it, so it is never cleared.
        if not python.exists():
            venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        mark.write_text(wanted, encoding="utf-8")
    os.execv(python, [python, *sys.argv])
