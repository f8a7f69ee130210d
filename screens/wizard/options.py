"""Step 5: how the image is written, what follows, and what else hibernates with khib."""

from __future__ import annotations

import time

import msgspec
import urwid

from khib_tui.errors import Refused
from khib_tui.i18n import N_, _
from khib_tui.model import wake
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.settings import Settings
from khib_tui.model.units import duration
from screens.ui import widgets
from screens.ui.shown import shown
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

CODECS = {
    CodecChoice.AUTO: N_("auto: measured when saving (proposed)"),
    CodecChoice.LZ4: N_("lz4: fast"),
    CodecChoice.ZSTD: N_("zstd: smaller, for a slow disk"),
    CodecChoice.NONE: N_("none: as it is"),
}
AFTERS = {
    After.POWEROFF: N_("power off (proposed)"),
    After.REBOOT: N_("restart, to use another system"),
    After.PLATFORM: N_("ACPI S4, as the firmware knows it"),
    After.HYBRID: N_("suspend to RAM; without power, resume from disk"),
}
AFTER_TIME, AFTER_PROPOSED = N_("by itself after {duration}"), N_("by itself after {duration} (proposed)")
COUNTDOWNS = (0, 5, 10, 30, -1)


class OptionsPage(StepPage):
    """Choices that all have a sane answer already."""

    title = N_("Options")
    help = N_(
        "Compression: lz4 keeps up with any disk. Reading back doubles the time and finds a bad medium "
        "before the power goes. Countdown: how long the restorer waits before it resumes by itself. Wake: "
        "the machine's clock starts it, at a time such as 07:30, or after 90m, 8h or 2d. Lid and menu: "
        "`systemctl hibernate`, the lid and the power menu of a desktop hibernate with khib; needs systemd, "
        "`khib install`, and images that are not sealed."
    )

    def __init__(self, flow: Flow, note: str = "") -> None:
        settings = flow.settings
        self.counts = sorted({*COUNTDOWNS, settings.countdown}, key=lambda count: (count < 0, count))
        self.codec = widgets.DropDown(list(map(_, CODECS.values())), list(CODECS).index(settings.codec))
        self.after = widgets.DropDown(list(map(_, AFTERS.values())), list(AFTERS).index(settings.after))
        waits = [waiting(count) for count in self.counts]
        self.countdown = widgets.DropDown(waits, self.counts.index(settings.countdown))
        self.verify = urwid.CheckBox(shown(_("read the whole image back before that")), settings.verify)
        self.wake = urwid.Edit("", settings.wake, max_length=12, placeholder=shown(_("never; 07:30 or 8h, say")))
        self.desktop = urwid.CheckBox(shown(_("systemctl hibernate, the lid and the power menu use khib")), settings.desktop)
        rows = [
            widgets.field(_("Compression:"), self.codec),
            widgets.field(_("When it is written:"), self.after),
            widgets.field(_("Check:"), self.verify, None),
            widgets.field(_("Resume after start:"), self.countdown),
            widgets.field(_("Wake by itself:"), self.wake),
            widgets.field(_("Lid and menu:"), self.desktop, None),
        ]
        body = widgets.listed(rows, fields=True, intro=_("These are right for most machines."))
        super().__init__(flow, note, body, focus=0)

    def entered(self) -> Settings:
        """Return the settings with these options."""
        return msgspec.structs.replace(
            self.flow.settings, codec=list(CODECS)[self.codec.selected], after=list(AFTERS)[self.after.selected],
            verify=bool(self.verify.get_state()), countdown=self.counts[self.countdown.selected],
            wake=self.wake.edit_text.strip(), desktop=bool(self.desktop.get_state()),
        )  # fmt: skip

    def answer(self) -> Settings:
        """Return the settings with these options.

        :raises UsageError: the time to wake at is none.
        :raises Refused: nothing here could hibernate for the lid and the menu.
        """
        settings = self.entered()
        if settings.wake:
            wake.seconds(settings.wake, time.time())
        if settings.desktop and not self.flow.machine.systemd:
            raise Refused(
                _("lid and menu are systemd's to give away, and this system is not run by systemd"), ident="HIB-E-DESKTOP",
                hint=_("leave that box empty"),
            )  # fmt: skip
        return settings


def waiting(count: int) -> str:
    """Format a countdown."""
    if count < 0:
        return _("only when a key is pressed")
    if not count:
        return _("at once")
    return _(AFTER_PROPOSED if count == Settings().countdown else AFTER_TIME).format(duration=duration(count))
