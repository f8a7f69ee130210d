"""What the firmware tells of itself, then and now: its hardware signature, and the ACPI tables that a kernel goes on to use."""

from __future__ import annotations

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model.machine import SignatureRule


def changed_hardware(before: str, now: str, rule: SignatureRule) -> bool:
    """Return whether the signature is another one, and somebody wants to know. One that was not known then is no other."""
    return bool(before) and before != now and rule is not SignatureRule.IGNORE


def signature_text(before: str, now: str) -> str:
    """Say what the signature was and is."""
    return _("the firmware's hardware signature was {before} and is {now}").format(before=before, now=now or _("not there"))


def signature_findings(before: str, now: str, rule: SignatureRule) -> list[Finding]:
    """Return what a resume has to say of it: nothing, a warning, or a blocker if the system asked for that.

    Firmware changes it for a dock or a charger too, so as in the kernel's own hibernation it forbids nothing by itself:
    memory, processor, machine and disks are compared one by one.
    """
    if not changed_hardware(before, now, rule):
        return []
    what = signature_text(before, now)
    if rule is SignatureRule.REFUSE:
        fix = _("connect the same devices as before, and try again; the image is kept")
        return [Finding("HIB-E-FACS", Severity.BLOCKER, what, _("acpi_sleep=s4_hwsig forbids to go on with that"), fix)]
    fix = _("if something does not work afterwards, restart the machine")
    return [Finding("HIB-W-FACS", Severity.WARNING, what, _("devices may have been added, removed or set up otherwise"), fix)]


def tables_findings(before: str, now: str) -> list[Finding]:
    """Return what forbids a resume over other ACPI tables: the saved system would run their code as if it was its own.

    Their ranges in the memory map are often as before when their content is not.
    """
    if not before or before == now:
        return []
    return [
        Finding(
            "HIB-E-ACPI",
            Severity.BLOCKER,
            _("the firmware has made other ACPI tables"),
            _("the saved system runs what is in them"),
            _("take out what was put in since, undo changes of firmware settings, and try again; the image is kept"),
        )
    ]
