"""What is remembered of journeys: their list, which survives restarts. Losing it forbids nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from khib_tui import files
from khib_tui.errors import KhibError
from khib_tui.model import jsontext
from khib_tui.model import settings as choices
from khib_tui.model.journey import Journey, Rung

PLACE = Path("/var/lib/khib")
MOST = 100
_LIST = "journeys.json"
_MAX_SIZE = 1 << 20


def folder_for(settings_path: Path) -> Path:
    """Return the folder of what is remembered: in /var/lib, or beside settings that lie elsewhere."""
    return PLACE if settings_path == choices.PATH else settings_path.with_suffix(".state")


class Journal:
    """The list of journeys in a folder, the oldest first; one that cannot be read is an empty one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / _LIST

    @classmethod
    def beside(cls, settings_path: Path) -> Journal:
        """Return the journal that belongs to settings."""
        return cls(folder_for(settings_path))

    def all(self) -> list[Journey]:
        """Read them."""
        with suppress(OSError, msgspec.DecodeError):
            return jsontext.decode(files.read(self.path, _MAX_SIZE), list[Journey])
        return []

    def put(self, journey: Journey) -> None:
        """Keep a journey; one that began at the same moment is replaced."""
        others = [item for item in self.all() if item.started != journey.started]
        self._keep(sorted([*others, journey], key=lambda item: item.started))

    def saw(self, rung: Rung, seen: bool) -> None:
        """Note whether the saver's screen was seen in the last journey of a rung."""
        kept = self.all()
        last = next((at for at in reversed(range(len(kept))) if kept[at].rung is rung), None)
        if last is not None:
            kept[last] = msgspec.structs.replace(kept[last], seen=seen)
            self._keep(kept)

    def _keep(self, journeys: list[Journey]) -> None:
        with suppress(OSError, KhibError):
            files.write(self.path, msgspec.json.format(jsontext.encode(journeys[-MOST:]), indent=1) + b"\n")
