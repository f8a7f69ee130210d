"""The `khib.*` kernel parameters, written and read here alone: what C resumes, and how B and C draw their console."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from khib_tui.model.cmdline import parameter, split

PREFIX = "khib."
DEFAULT_COUNTDOWN = 10
_LANG = re.compile(r"[a-z]{2,3}")
_TERM = re.compile(r"[A-Za-z0-9+._-]{1,32}")
DEFAULT_SIZE = (80, 24)


class Words(NamedTuple):
    """What the command line says.

    `image` names a device and file in the form of `targets`, empty to search; `events` is a device for JSON events;
    `countdown` is in seconds, after which the restore starts by itself; 0 means at once, -1 never; with `sealed` only a
    sealed image may be resumed; `moved` says that C was started by another C, inside the region; `lang` is the
    language of the user, as `de`, empty for English. `serial` is taken from
    `console=`, and not written.
    """

    image: str = ""
    events: str = ""
    plain: bool = False
    countdown: int = DEFAULT_COUNTDOWN
    sealed: bool = False
    moved: bool = False
    lang: str = ""
    term: str = ""
    rows: int = DEFAULT_SIZE[1]
    columns: int = DEFAULT_SIZE[0]
    serial: bool = False

    def format(self) -> list[str]:
        """Return the parameters that `parse` reads back as these; what is as by default is left out."""
        given = {
            "image": self.image,
            "events": self.events,
            "ui": "plain" if self.plain else "",
            "countdown": str(self.countdown) if self.countdown != DEFAULT_COUNTDOWN else "",
            "lang": self.lang,
            "term": self.term,
            "tty": f"{self.columns}x{self.rows}" if (self.columns, self.rows) != DEFAULT_SIZE else "",
        }
        alone = [f"{PREFIX}{name}" for name, value in (("sealed", self.sealed), ("moved", self.moved)) if value]
        return [*(f"{PREFIX}{name}={value}" for name, value in given.items() if value), *alone]

    @property
    def terminal(self) -> str:
        """The type of the console's terminal: as given, or what is usual there."""
        return self.term or ("vt100" if self.serial else "linux")

    @classmethod
    def read(cls, path: Path = Path("/proc/cmdline")) -> Words:
        """Read the running kernel's; bytes that are no UTF-8 are nonsense like any other."""
        return cls.parse(path.read_bytes().decode(errors="replace"))

    @classmethod
    def parse(cls, line: str) -> Words:
        """Take the words out of a command line; the last of a kind counts, nonsense is ignored."""
        words = [parameter(word) for word in split(line)]
        given = {name.removeprefix(PREFIX): value or "" for name, value in words if name.startswith(PREFIX)}
        consoles = [value for name, value in words if name == "console" and value]
        serial = bool(consoles) and not consoles[-1].startswith("tty0")
        size = re.fullmatch(r"(\d{1,3})x(\d{1,3})", given.get("tty", ""))
        countdown = given.get("countdown", "")
        return cls(
            image=given.get("image", ""),
            events=given.get("events", ""),
            plain=given.get("ui") == "plain",
            countdown=int(countdown) if re.fullmatch(r"-?\d{1,4}", countdown) else DEFAULT_COUNTDOWN,
            sealed="sealed" in given,
            moved="moved" in given,
            lang=given.get("lang", "") if _LANG.fullmatch(given.get("lang", "")) else "",
            term=given.get("term", "") if _TERM.fullmatch(given.get("term", "")) else "",
            rows=int(size[2]) if size else DEFAULT_SIZE[1],
            columns=int(size[1]) if size else DEFAULT_SIZE[0],
            serial=serial,
        )
