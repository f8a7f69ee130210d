#!/usr/bin/python3 -IS
"""PID 1 of B and C in the lab: ours, with one beside it who ends the worker when `lab.kill=SIGNAL@SECONDS` says."""

import os
import re
import sys
import time
from pathlib import Path

sys.path.append("/usr/lib/khib")

from khib_tui.init import main

WORD = re.compile(r"\blab\.kill=(\d+)@([\d.]+)")


def line() -> str:
    """The kernel's command line, once /proc is there."""
    while not Path("/proc/cmdline").exists():
        time.sleep(0.01)
    return Path("/proc/cmdline").read_text()


def worker() -> int:
    """The child of PID 1 that is not this process."""
    while True:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == 1 and int(stat.parent.name) != os.getpid():
                return int(stat.parent.name)
        time.sleep(0.01)


def kill() -> None:
    """Wait for the moment."""
    if found := WORD.search(line()):
        victim = worker()
        time.sleep(float(found[2]))
        os.kill(victim, int(found[1]))


if os.fork() == 0:
    try:
        kill()
    finally:
        os._exit(0)
main()
