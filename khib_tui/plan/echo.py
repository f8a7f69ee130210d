"""The first rung of a rehearsal: freeze, jump, come straight back. It needs no saver, no region and no target."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from khib_tui.decide import checks
from khib_tui.decide.findings import refuse
from khib_tui.errors import CommandFailed, Exit, KhibError
from khib_tui.events.types import Result, Sink
from khib_tui.facts.uptime import boot_id
from khib_tui.handover.report import Outcome
from khib_tui.i18n import N_, _
from khib_tui.jump import gdt
from khib_tui.jump.echo import echo_page, load_echo
from khib_tui.linux.syscalls import REBOOT_KEXEC, kexec_unload, reboot
from khib_tui.model.journey import Journey, Rung
from khib_tui.model.machine import Machine
from khib_tui.model.units import duration
from khib_tui.plan.hibernate import Unload, WriteBack
from khib_tui.plan.step import Action, Context

OF_SAVERS = frozenset(
    (
        "HIB-E-NO-KERNEL",
        "HIB-E-FIRMWARE-MEMMAP",
        "HIB-E-BALLOON",
        "HIB-E-ADDED-RAM",
        "HIB-E-RAM",
        "HIB-E-RAM-DISK",
        "HIB-E-RSDP",
    )
)


@dataclass(frozen=True)
class LoadEcho:
    """Load the page that goes straight back."""

    page: int

    def describe(self) -> str:
        """Return where."""
        return _("load one page of code at {page:#x} that goes straight back").format(page=self.page)

    def apply(self, context: Context) -> None:
        """Load it; A keeps running."""
        with suppress(KhibError):
            kexec_unload()
        load_echo(self.page, gdt.read_facts().gdt)
        context.loaded = True


@dataclass(frozen=True)
class JumpToEcho:
    """Freeze all devices, jump, and thaw them."""

    def describe(self) -> str:
        """Return what happens."""
        return _("freeze all devices, jump into that page and straight back; nothing is written")

    def apply(self, context: Context) -> None:
        """Go.

        :raises CommandFailed: something could not be frozen; the system goes on.
        """
        started = time.monotonic()
        try:
            reboot(REBOOT_KEXEC)
        except CommandFailed as error:
            hint = _("the last lines of `dmesg` name the device or program that could not be frozen")
            raise CommandFailed(error.message, hint=hint, ident=error.ident) from error
        context.away_seconds = time.monotonic() - started
        context.changed = True


def refuse_echo(machine: Machine) -> None:
    """Refuse for the first check that says no, but for those that only a saver needs.

    :raises Refused: with its cause and next step.
    """
    refuse([finding for finding in checks.check(machine) if finding.ident not in OF_SAVERS])


def echo(machine: Machine) -> list[Action]:
    """Return the steps."""
    return [WriteBack(), LoadEcho(echo_page(machine)), JumpToEcho(), Unload(_("the page"))]


@dataclass(frozen=True)
class EchoTask:
    """The echo as an errand, which is run and remembered as the others are."""

    machine: Machine
    settings_path: Path
    title = N_("Rehearsing the echo")
    rung = Rung.ECHO
    keep = False
    after = ""

    @property
    def actions(self) -> list[Action]:
        """The steps."""
        return echo(self.machine)

    @property
    def record(self) -> Journey:
        """What is known of it before."""
        return Journey(Rung.ECHO, 0.0, boot_id=boot_id(), release=self.machine.release)

    def tell(self, context: Context, sink: Sink) -> int:
        """Tell how it went; returns the exit code."""
        sink(echoed(context))
        return Exit.OK


def echo_task(machine: Machine, settings_path: Path) -> EchoTask:
    """Decide an echo on the facts as they are.

    :raises Refused: with its cause and next step.
    """
    refuse_echo(machine)
    return EchoTask(machine, settings_path)


def echoed(context: Context) -> Result:
    """Return how it went."""
    text = _("rehearsed: the kernel froze the devices and came back in {duration}").format(
        duration=duration(context.away_seconds)
    )
    return Result("rehearse", True, text, {"outcome": Outcome.REHEARSED, "echo": True, "away_seconds": context.away_seconds})
