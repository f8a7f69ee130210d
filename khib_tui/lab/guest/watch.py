"""Notes what a system lives through around a hibernation: frozen sessions, what drivers are told, clocks, its own stops.

`python3 -m khib_tui.lab.guest.watch FILE` appends JSON lines: `what`, and when in seconds by CLOCK_MONOTONIC (`at`), which
stands while the system sleeps, and by CLOCK_REALTIME (`time`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

SLICE = Path("/sys/fs/cgroup/user.slice/cgroup.events")
HEARD = Path("/sys/kernel/khib_listener/heard")
TICK = 0.01
STOP = 0.5
SLEEP = 1.0


class Watch:
    """What was seen last, and who is told of what changes: its name, the monotonic time."""

    def __init__(self, say: Callable[[str, float], None]) -> None:
        self.say = say
        self.at = time.monotonic()
        self.away = time.clock_gettime(time.CLOCK_BOOTTIME) - self.at
        self.seen: dict[Path, str] = {}

    def look(self) -> None:
        """Look once."""
        now = time.monotonic()
        away = time.clock_gettime(time.CLOCK_BOOTTIME) - now
        if now - self.at > STOP:
            self.say("stopped", self.at)
            self.say("went on", now)
        if away - self.away > SLEEP:
            self.say(f"slept {away - self.away:.1f}", now)
        self.at, self.away = now, away
        for path in (SLICE, HEARD):
            text = read(path)
            if text != self.seen.setdefault(path, text):
                self.seen[path] = text
                self.say(f"{path.name} {text}", now)


def read(path: Path) -> str:
    """Return the words of a file, empty if it is not there."""
    try:
        return " ".join(path.read_text().split())
    except OSError:
        return ""


def main() -> None:
    """Watch until killed."""
    with open(sys.argv[1], "a", buffering=1) as log:
        watch = Watch(lambda what, at: print(json.dumps({"what": what, "at": at, "time": time.time()}), file=log))
        watch.say("started", watch.at)
        while True:
            watch.look()
            time.sleep(TICK)


if __name__ == "__main__":
    main()
