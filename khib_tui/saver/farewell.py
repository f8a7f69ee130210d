"""The last that is seen before the machine goes off: that the session is on the disk, and how one gets it back."""

from __future__ import annotations

from khib_tui.handover.handover import Handover
from khib_tui.i18n import N_, _
from khib_tui.model.choices import After
from khib_tui.model.text import visible_lines

CLEAR = "\x1b[0m\x1b[2J\x1b[H"
LEAVING = {
    After.POWEROFF: N_("The machine is switched off now."),
    After.REBOOT: N_("The machine restarts now."),
    After.PLATFORM: N_("The machine is switched off now (ACPI S4)."),
    After.HYBRID: N_("The machine sleeps now; without power, it resumes from the disk."),
}


def farewell(handover: Handover) -> str:
    """Return it, in lines."""
    form = (
        _("khib: the session of {host} is saved and verified.")
        if handover.verify
        else _("khib: the session of {host} is saved.")
    )
    saved = form.format(host=handover.host or _("this system"))
    return visible_lines(f"{saved}\n\n{_(LEAVING[handover.after])}\n{handover.later}\n")


def show(handover: Handover, *, clear: bool) -> None:
    """Print it; a console that fails holds nobody up.

    :param clear: whether something else stands there that would be taken for what is true now.
    """
    try:
        print((CLEAR if clear else "\n") + farewell(handover).replace("\n", "\r\n"), flush=True)
    except (OSError, ValueError):
        return
