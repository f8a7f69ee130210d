"""The `khib.*` words of a kernel command line: what boots C, and how its console is drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DEFAULT_COUNTDOWN = 10


@dataclass(frozen=True)
class Words:
    """What the command line says.

    `image` names a device and file in the form of `targets`, empty to search; `events` is a device for JSON events;
    `countdown` is in seconds, after which the restore starts by itself; 0 means at once, -1 never; with `sealed` only a
    sealed image may be resumed.
    """

    image: str = ""
    events: str = ""
    plain: bool = False
    countdown: int = DEFAULT_COUNTDOWN
    sealed: bool = False
    term: str = "linux"
    rows: int = 24
    columns: int = 80

    @classmethod
    def read(cls, path: Path = Path("/proc/cmdline")) -> Words:
        """Read the running kernel's."""
        return cls.parse(path.read_text())

    @classmethod
    def parse(cls, line: str) -> Words:
        """Take the words out of a command line; the last of a kind counts, nonsense is ignored."""
        given = dict(word.removeprefix("khib.").partition("=")[::2] for word in line.split() if word.startswith("khib."))
        consoles = [word.removeprefix("console=") for word in line.split() if word.startswith("console=")]
        serial = bool(consoles) and not consoles[-1].startswith("tty0")
        size = re.fullmatch(r"(\d{1,3})x(\d{1,3})", given.get("tty", ""))
        countdown = given.get("countdown", "")
        return cls(
            image=given.get("image", ""),
            events=given.get("events", ""),
            plain=given.get("ui") == "plain",
            countdown=int(countdown) if re.fullmatch(r"-?\d{1,4}", countdown) else DEFAULT_COUNTDOWN,
            sealed="sealed" in given,
            term=given.get("term") or ("vt100" if serial else "linux"),
            rows=int(size[2]) if size else 24,
            columns=int(size[1]) if size else 80,
        )
