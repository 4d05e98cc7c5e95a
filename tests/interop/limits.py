#!/usr/bin/env python3
"""Runs the sample's night with little memory, and with a work folder that fills up.

    python3 tests/interop/limits.py MARTLET

Each run must publish what a run with plenty publishes, or end with 5 and leave nothing behind but its report and its
rejects; a run with plenty then publishes into the same warehouse as if nothing had been. It ends with 1 where one does
otherwise.
"""

import hashlib
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PIPELINE = "nightly"
NIGHT = ["run", f"pipelines/{PIPELINE}.yaml", "--as-of", "2026-01-31", "--no-progress"]
MEBIBYTE = 1 << 20
MEMORY = ["64MiB", "128MiB", "256MiB", "512MiB"]
# The largest file that can be written, so that the work folder cannot hold what a step leaves there.
FILE_SIZES = [1 << 16, 1 << 18, 1 << 20]
# A disk of so many bytes, where this system lets a user mount one for a process.
DISKS = ["2m", "8m"]
SUCCESS, PERMANENT = 0, 5


def main():
    martlet = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        plenty = Run(martlet, scratch, "plenty")
        plenty.must_end_with(plenty.call(), SUCCESS)
        wanted = plenty.content()
        for memory in MEMORY:
            run = Run(martlet, scratch, f"memory-{memory}")
            run.judge(run.call("--memory", memory, "--threads", "2"), wanted)
        statuses = []
        for size in FILE_SIZES:
            run = Run(martlet, scratch, f"files-of-{size}")
            statuses.append(run.judge(run.call("--memory", "64MiB", file_size=size), wanted))
        if can_mount():
            for size in DISKS:
                run = Run(martlet, scratch, f"disk-of-{size}")
                statuses.append(run.judge(run.call("--memory", "64MiB", disk=size), wanted))
        else:
            print("   no disk of its own can be mounted for a process here")
        if PERMANENT not in statuses:
            sys.exit("no work folder has been too small")


class Run:
    """A warehouse and a work folder of their own."""

    def __init__(self, martlet, scratch, name):
        self.martlet, self.name = martlet, name
        self.warehouse, self.work = scratch / name / "warehouse", scratch / name / "work"
        self.work.mkdir(parents=True)

    def call(self, *flags, file_size=None, disk=None):
        command = [self.martlet, *NIGHT, "--warehouse", self.warehouse, "--work", self.work, *flags]
        command = [str(part) for part in command]
        if disk:
            mount = f'mount -t tmpfs -o size={disk} none "$0" && exec "$@"'
            command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(self.work), *command]
        limit = (lambda: limit_files(file_size)) if file_size else None
        return subprocess.run(
            command, cwd=PROJECT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, preexec_fn=limit,
            stdin=subprocess.DEVNULL,
        )

    def judge(self, done, wanted):
        """Accepts the night or a clean end; returns the exit status."""
        if done.returncode == SUCCESS:
            end = "publishes the same"
        else:
            self.must_end_with(done, PERMANENT)
            told = [line.strip() for line in done.stdout.splitlines() + done.stderr.splitlines() if line.strip()]
            end = f"ends with {PERMANENT}: {told[1] if len(told) > 1 else told}"
            self.must_have_left_nothing()
            self.must_end_with(self.call(), SUCCESS)
        if self.content() != wanted:
            sys.exit(f"{self.name}: another night is published")
        if any((self.work / "martlet").glob("*")):
            sys.exit(f"{self.name}: the work folder is not empty")
        print(f"   {self.name} {end}")
        shutil.rmtree(self.warehouse.parent)
        return done.returncode

    def must_end_with(self, done, status):
        if done.returncode != status:
            sys.exit(f"{self.name} ended with {done.returncode}, not {status}\n{done.stdout}{done.stderr}")

    def must_have_left_nothing(self):
        folder = self.warehouse / PIPELINE
        left = [path for path in folder.rglob("*") if path.is_file()]
        seen = [path.relative_to(folder).as_posix() for path in left]
        # The reports and rejects of a run stay whatever becomes of it, and the lease tells who was the last.
        wrong = [path for path in seen if not path.startswith(("runs/", "restricted/rejects/", "LEASE"))]
        if wrong:
            sys.exit(f"{self.name}: {wrong} are left")

    def content(self):
        """Returns a digest of each mart."""
        latest = self.warehouse / PIPELINE / "latest"
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in latest.glob("*.parquet")}


def limit_files(size):
    # Without this, the system ends the process where it is to be told that a file has grown too large.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def can_mount():
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
