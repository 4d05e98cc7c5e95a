"""Runs programs as whole processes and measures them: time, memory, and bytes read and written."""

import ctypes
import os
import pathlib
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
# Descendants whose parent has gone become children of this process, so that their time can be told.
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
PAGE = os.sysconf("SC_PAGE_SIZE")
PAUSE = 0.05


def measured(command, threads, environment=None, log=None):
    """Runs a command on so many cores; returns what it wrote to stdout, and its figures."""
    # The last cores: the first ones are those the system likes best.
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    begun = time.monotonic()
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL, env={**os.environ, **(environment or {})},
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    watch = Watch(process.pid)
    told = process.stdout.read()
    # The counters of a process that has ended can be read until somebody has waited for it.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - begun
    transferred = counters(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    usages = [usage, *orphans(transferred)]
    sampled = watch.stop()
    if status != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return told, {
        "wall": wall,
        "cpu": sum(usage.ru_utime + usage.ru_stime for usage in usages),
        # Where there is one process the system knows its peak; of several the sum is sampled.
        "memory": max(sampled, *(usage.ru_maxrss * 1024 for usage in usages)) / 2**20,
        "read": transferred["rchar"] / 1e6,
        "written": transferred["wchar"] / 1e6,
    }


def orphans(transferred):
    """Waits for what the process has left behind, and adds what it transferred."""
    usages = []
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return usages
        for name, value in counters(found.si_pid).items():
            transferred[name] += value
        usages.append(os.wait4(found.si_pid, 0)[2])


def counters(pid):
    """Returns how many bytes a process has read and written, its children that it has waited for included."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return {"rchar": 0, "wchar": 0}
    found = dict(line.split(": ") for line in lines)
    return {name: int(found[name]) for name in ("rchar", "wchar")}


class Watch(threading.Thread):
    """Samples how much memory a process and its descendants hold together."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(PAUSE):
            tree = list(descendants(self.pid))
            # One process alone has an exact peak.
            if len(tree) > 1:
                self.peak = max(self.peak, sum(map(resident, tree)))

    def stop(self):
        self.over.set()
        self.join()
        return self.peak


def descendants(pid):
    yield pid
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield from descendants(int(child))
    except OSError:
        return


def resident(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
