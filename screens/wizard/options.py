"""Step 5: how the image is written, and what follows."""

from __future__ import annotations

import msgspec
import urwid

from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.settings import Settings
from khib_tui.model.units import duration
from screens.ui import widgets
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

CODECS = {
    CodecChoice.AUTO: "auto: measured when saving (proposed)",
    CodecChoice.LZ4: "lz4: fast",
    CodecChoice.ZSTD: "zstd: smaller, for a slow disk",
    CodecChoice.NONE: "none: as it is",
}
AFTERS = {
    After.POWEROFF: "power off (proposed)",
    After.REBOOT: "restart, to use another system",
    After.PLATFORM: "ACPI S4, as the firmware knows it",
    After.HYBRID: "suspend to RAM; without power, resume from disk",
}
COUNTDOWNS = (0, 5, 10, 30, -1)


class OptionsPage(StepPage):
    """Four choices that all have a sane answer already."""

    title = "Options"
    help = (
        "Compression: lz4 keeps up with any disk. Reading back doubles the time and finds a bad medium before the power "
        "goes. Countdown: how long the restorer waits before it resumes by itself."
    )

    def __init__(self, flow: Flow, note: str = "") -> None:
        settings = flow.settings
        self.counts = sorted({*COUNTDOWNS, settings.countdown}, key=lambda count: (count < 0, count))
        self.codec = widgets.DropDown(list(CODECS.values()), list(CODECS).index(settings.codec))
        self.after = widgets.DropDown(list(AFTERS.values()), list(AFTERS).index(settings.after))
        waits = [waiting(count) for count in self.counts]
        self.countdown = widgets.DropDown(waits, self.counts.index(settings.countdown))
        self.verify = urwid.CheckBox("read the whole image back before that", settings.verify)
        rows = [
            widgets.field("Compression:", self.codec),
            widgets.field("When it is written:", self.after),
            widgets.field("Check:", self.verify, None),
            widgets.field("Resume after start:", self.countdown),
        ]
        body = widgets.listed(rows, fields=True, intro="These are right for most machines.")
        super().__init__(flow, note, body, focus=0)

    def entered(self) -> Settings:
        """Return the settings with these options."""
        return msgspec.structs.replace(
            self.flow.settings, codec=list(CODECS)[self.codec.selected], after=list(AFTERS)[self.after.selected],
            verify=bool(self.verify.get_state()), countdown=self.counts[self.countdown.selected],
        )  # fmt: skip


def waiting(count: int) -> str:
    """Format a countdown."""
    if count < 0:
        return "only when a key is pressed"
    if not count:
        return "at once"
    return f"by itself after {duration(count)}{' (proposed)' if count == Settings().countdown else ''}"
