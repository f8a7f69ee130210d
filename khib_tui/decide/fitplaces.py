"""Which places fit, and what would be done to each: said by `check` while none is chosen. Pure."""

from __future__ import annotations

from khib_tui.decide.target import candidates
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model.machine import Machine
from khib_tui.model.target import Kind

IDENT = "HIB-W-PLACES"
# What is done to a place of each kind that is listed.
_DEEDS = {
    Kind.PARTITION: N_("overwritten whole"), Kind.OWN: N_("made in free room"),
    Kind.SWAP: N_("lent: swapped off, and on again afterwards"),
}  # fmt: skip


def finding(machine: Machine, need_bytes: int) -> Finding:
    """Name the places that fit an image of at most `need_bytes`."""
    fit = [f"{target} ({_(_DEEDS[target.kind])})" for target, against in candidates(machine, need_bytes) if not against]
    if fit:
        what = _("the image can go to {places}").format(places=", ".join(fit))
        return Finding(IDENT, Severity.OK, what, _("none is chosen yet"), _("`khib`, or --target PLACE"))
    fix = _("free some room for a file, make the swap larger, or plug in a disk; `khib` lists what is against each place")
    return Finding(IDENT, Severity.WARNING, _("no place is fit for the image"), _("nothing here has room for it"), fix)
