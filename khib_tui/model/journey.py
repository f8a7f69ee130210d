"""A journey of this system away from itself and back: a rehearsal or a hibernation, as it is remembered."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Rung(StrEnum):
    """How far a journey goes, from the smallest rehearsal to the whole trip."""

    ECHO = "echo"
    JUMP = "jump"
    SAVE = "save"
    TRIP = "trip"

    @property
    def height(self) -> int:
        """Where it stands: what goes well on a rung goes well on those below."""
        return list(Rung).index(self)


class End(StrEnum):
    """What became of a journey; one that is `away` and of another uptime never came back."""

    AWAY = "away"
    WELL = "well"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Journey(msgspec.Struct, frozen=True):
    """One journey. Sizes are bytes, times seconds; `started` is since 1970, `boot_id` names the uptime it began in.

    `release` is the kernel that was away, `saver` the one that saved, empty for an echo. `used` is what memory held before.
    `seen` tells whether the user saw the saver's screen, None if nobody said. `text` and `ident` tell why it failed.
    """

    rung: Rung
    started: float
    boot_id: str = ""
    release: str = ""
    saver: str = ""
    target: str = ""
    end: End = End.AWAY
    used: int = 0
    image_bytes: int = 0
    memory_bytes: int = 0
    save_seconds: float = 0.0
    restore_seconds: float = 0.0
    away_seconds: float = 0.0
    codec: str = ""
    seen: bool | None = None
    text: str = ""
    ident: str = ""

    @property
    def rate(self) -> float:
        """Bytes of the image a second, while it was written; 0.0 if none was."""
        return self.image_bytes / self.save_seconds if self.save_seconds > 0 else 0.0
