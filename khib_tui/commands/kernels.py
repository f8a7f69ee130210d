"""`khib kernels`: what each kernel of this machine can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from khib_tui.commands.common import machine_for, settings_of
from khib_tui.decide.kernel import SAVER_OPTIONS
from khib_tui.decide.region import proposed
from khib_tui.decide.roles import Fit, Role, roles
from khib_tui.errors import Exit
from khib_tui.events.types import Message, Result, Sink
from khib_tui.facts.kernelconfig import Look, look
from khib_tui.i18n import _
from khib_tui.initramfs import modules
from khib_tui.model.units import size

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.model.machine import Machine


def kernels(arguments: Namespace, sink: Sink) -> int:
    """List kernels with what they can be; the last event's data has it all."""
    machine = machine_for(arguments, settings_of(arguments))
    here = not arguments.facts
    listed = [_judged(machine, look(kernel) if here else Look(kernel, "file" if kernel.config else ""), here)
              for kernel in machine.kernels]  # fmt: skip
    for item in listed:
        for line in _lines(item):
            sink(Message(line))
    sink(Result("kernels", True, "" if listed else _("no kernel was found"), {"kernels": msgspec.to_builtins(listed)}))
    return Exit.OK


class Listed(msgspec.Struct, frozen=True):
    """A kernel of the list; `region` is the memory that B and C need with it, in bytes."""

    path: str
    release: str
    running: bool
    configuration: str
    region: int
    roles: list[Role]


def _judged(machine: Machine, seen: Look, here: bool) -> Listed:
    kernel = seen.kernel
    doubts = tuple(_doubts(seen)) if here else ()
    found = roles(kernel, uefi=machine.uefi, doubts=doubts)
    lacking = tuple(_("it {reason} (CONFIG_{name})").format(reason=_(SAVER_OPTIONS[name]), name=name) for name in seen.lacking)
    if lacking:
        found = [msgspec.structs.replace(role, fit=Fit.NO, reasons=lacking) for role in found]
    return Listed(
        kernel.path, kernel.release, kernel.release == machine.release, seen.source,
        proposed(kernel.init_size, machine.cpu.count), found,
    )  # fmt: skip


def _doubts(seen: Look) -> list[str]:
    """Return what of this machine the kernel could not reach."""
    kernel = seen.kernel
    if not modules.directory(kernel.release).is_dir():
        return [_("its modules are not on this system")] if kernel.config.get("MODULES") == "y" else []
    lost = modules.missing(kernel.release, modules.needed_for())
    return [_("it has no driver {name}, which a disk or keyboard here uses").format(name=name) for name in lost]


def _lines(item: Listed) -> list[str]:
    words = ", ".join(f"{role.name} {_(role.fit)}" for role in item.roles)
    first = _("{item} ({release}{running}): {words}; B and C need {size}").format(
        item=item.path,
        release=item.release,
        running=_(", running") if item.running else "",
        words=words,
        size=size(item.region),
    )
    return [first, *(f"  {'/'.join(names)}: {reason}" for reason, names in _by_reason(item).items())]


def _by_reason(item: Listed) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for role in item.roles:
        for reason in role.reasons:
            found.setdefault(reason, []).append(role.name)
    return found
