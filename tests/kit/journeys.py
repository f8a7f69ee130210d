"""A past to remember: rehearsals that went well and badly, hibernations of several sizes."""

from __future__ import annotations

import msgspec

from khib_tui.decide.rehearsals import Now
from khib_tui.model.journey import End, Journey, Rung

GIB = 1 << 30
DAY = 86400.0
START = 1_700_000_000.0


def past(now: Now) -> list[Journey]:
    """All that may stand in a history, the oldest first, with the kernels that run now."""

    def went(rung: Rung, days: float, **given: object) -> Journey:
        saver = "" if rung is Rung.ECHO else now.saver
        fields = {"started": START + days * DAY, "boot_id": "earlier", "release": now.release, "saver": saver, "end": End.WELL}
        return msgspec.convert({"rung": rung, "target": "/dev/nvme0n1p4", **fields, **given}, Journey)

    image = {"image_bytes": 3 * GIB, "memory_bytes": 9 * GIB, "save_seconds": 6.0, "codec": "lz4"}
    return [
        went(Rung.ECHO, 0, away_seconds=1.2),
        went(Rung.JUMP, 0.1, away_seconds=4.5, seen=True),
        went(Rung.SAVE, 0.2, end=End.FAILED, text="the place of the image is full", ident="HIB-E-TARGET-FULL"),
        went(Rung.TRIP, 1, end=End.AWAY),
        went(Rung.TRIP, 2, away_seconds=25_920.0, restore_seconds=5.0, **image),
        went(Rung.TRIP, 3, away_seconds=600.0, restore_seconds=3.0, **image | {"image_bytes": GIB, "codec": "zstd"}),
    ]
