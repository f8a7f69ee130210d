"""What a hibernation will likely take, from earlier ones: bytes of the image, and seconds. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from khib_tui.decide import region
from khib_tui.i18n import _
from khib_tui.model.journey import End, Journey
from khib_tui.model.machine import Machine
from khib_tui.model.units import duration, size

MOST = 5


@dataclass(frozen=True)
class Forecast:
    """What is likely: bytes of the image and the seconds that writing them takes, from so many earlier ones."""

    image_bytes: int
    seconds: float
    earlier: int

    @property
    def text(self) -> str:
        """The forecast as a sentence."""
        from_what = _("the last one") if self.earlier == 1 else _("the last {earlier}").format(earlier=self.earlier)
        return _("Likely {size}, written in about {duration}, going by {from_what}.").format(
            size=size(self.image_bytes), duration=duration(self.seconds), from_what=from_what
        )


def used_now(machine: Machine) -> int:
    """Return how much memory holds something, where that was counted; 0 elsewhere."""
    return max(region.system_ram(machine.iomem).total - machine.mem_free, 0) if machine.mem_free else 0


def forecast(journeys: Sequence[Journey], used: int, target: str = "") -> Forecast | None:
    """Reckon from the last journeys that wrote an image, to this target if there are any; None without one.

    The size follows what memory holds, before and now; where nobody counted that, it is that of the earlier ones.

    :param used: what memory holds now, 0 if nobody counted.
    """
    wrote = [item for item in journeys if item.end is End.WELL and item.rate]
    last = ([item for item in wrote if item.target == target] or wrote)[-MOST:]
    if not last:
        return None
    shares = [item.image_bytes / item.used for item in last if item.used] if used else []
    likely = median(shares) * used if shares else median(item.image_bytes for item in last)
    return Forecast(round(likely), likely / median(item.rate for item in last), len(last))
