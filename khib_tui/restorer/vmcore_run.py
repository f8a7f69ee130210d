"""`khib restore --vmcore`: in C, restore a vmcore and jump into the system it holds."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from khib_tui.decide.findings import refuse
from khib_tui.errors import Refused, UsageError
from khib_tui.events.progress import Meter, Stop, Work
from khib_tui.events.sinks import steady
from khib_tui.events.types import Level, Message, Result, Sink, Stage, StageName, Status
from khib_tui.facts.hardware import read_hardware
from khib_tui.handover import moved
from khib_tui.handover.cmdline import Words
from khib_tui.handover.report import Outcome, Report
from khib_tui.i18n import N_, _
from khib_tui.image.manifest import Manifest
from khib_tui.jump import back, ownram
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.machine import BlockDevice
from khib_tui.model.units import size
from khib_tui.prints import take
from khib_tui.prints.compare import compare
from khib_tui.restorer import claim as claims
from khib_tui.restorer import move
from khib_tui.restorer import restore as restorer
from khib_tui.restorer import run as kernel_c
from khib_tui.restorer.vmcore import Vmcore, fill, load, refuse_elsewhere
from khib_tui.restorer.vmcore_place import find, opened
from khib_tui.target import catalog, guard
from khib_tui.target.catalog import Found
from khib_tui.target.place import opened as opened_image

ONCE = N_("a vmcore can be restored again and again: if its system has run since, restoring it destroys filesystems")
Present = Callable[[str, Work[None]], None]
Mover = Callable[[Sink, Stop | None], None]


def run(arguments: Namespace, sink: Sink, present: Present, confirm: Callable[[str], None]) -> None:
    """Check, ask, restore and jump; returns only from a dry run.

    :param arguments: `vmcore`, `entry`, `gdt`, `yes` and `dry_run`.
    :param confirm: asks for a typed yes; raises Cancelled.
    :raises KhibError: why not; the vmcore is not changed by it.
    """
    kernel_c.begin()
    devices, device = find(arguments.vmcore)
    guarded = others(devices, device)
    guard.protect(guarded)
    sink(Message(_("{count} disks and partitions are write-protected").format(count=len(guarded))))
    with opened(arguments.vmcore, device) as file:
        core = load(file, address(arguments.entry), address(arguments.gdt))
        if core.manifest:
            devices = kernel_c.all_disks(core.manifest.disks)
            guard.protect(others(devices, device))
        moves = mover(core, devices, device, arguments.vmcore)
        original = check(core, devices, device, sink, moves=moves is not None)
        if arguments.dry_run:
            told_only(arguments.vmcore, moves, sink)
            return
        ask(arguments, core, original, sink, confirm)
        if moves is None:
            present(title(core), lambda told, stop: work(core, file.size, devices, device, original, told, stop))
    if moves:
        present(title(core), moves)


def told_only(place: str, moves: Mover | None, sink: Sink) -> None:
    """End a dry run."""
    if moves:
        moves(sink, None)
    sink(Result("restore", True, _("{place} could be restored here").format(place=place)))


def ask(arguments: Namespace, core: Vmcore, original: Found | None, sink: Sink, confirm: Callable[[str], None]) -> None:
    """Warn, and ask for a typed yes unless it was given."""
    if original is None:
        sink(Message(ONCE, Level.WARNING))
    if not arguments.yes:
        confirm(_("Restore {host} from {vmcore}?").format(host=host(core), vmcore=arguments.vmcore))


def title(core: Vmcore) -> str:
    """Return what is done, in a few words."""
    return _("Restoring {host}").format(host=host(core))


def mover(core: Vmcore, devices: Sequence[BlockDevice], device: BlockDevice | None, place: str) -> Mover | None:
    """Return what moves this kernel into the region, None where it need not or cannot.

    :raises Refused: it must, and the next kernel would not find the vmcore.
    """
    manifest = core.manifest
    if manifest is None or not move.can(Path("/"), Words.read()) or not move.lies_outside(manifest):
        return None
    if device is None:
        raise Refused(
            _("this kernel must move into {host}'s memory region first, and what is mounted here is gone then").format(
                host=manifest.host
            ),
            hint=_("name the vmcore as /dev/PARTITION:/FILE, with nothing mounted from there"),
            ident="HIB-E-VMCORE-PLACE",
        )

    def moves(sink: Sink, stop: Stop | None) -> None:
        given = move.handed_vmcore(move.judged(devices, manifest, sink), manifest.image_id, device, place.partition(":")[2])
        move.go(manifest, given, sink, stop) if stop else move.tried(manifest, given, sink)

    return moves


def address(text: str) -> int | None:
    """Read an address, `0x...` or decimal; None for an empty text.

    :raises UsageError: it is none.
    """
    try:
        return int(text, 0) if text else None
    except ValueError:
        raise UsageError(
            _("{text} is not an address").format(text=text), hint=_("write it as 0x1234"), ident="HIB-E-ADDRESS"
        ) from None


def host(core: Vmcore) -> str:
    """Return what is in a vmcore."""
    return core.manifest.host if core.manifest else _("an unknown system")


def others(devices: Sequence[BlockDevice], device: BlockDevice | None) -> list[BlockDevice]:
    """Return the disks and partitions that must not be written: all but the vmcore's, and those that hold images."""
    spared = [item for item in devices if item.fstype == "khib" or (device and item.name == device.name)]
    names = {name for item in spared for name in (item.name, item.disk)}
    return [item for item in guard.others(devices, None) if item.name not in names]


def check(
    core: Vmcore, devices: Sequence[BlockDevice], device: BlockDevice | None, sink: Sink, *, moves: bool = False
) -> Found | None:  # fmt: skip
    """Check all that can be checked before memory is changed.

    :param moves: this kernel does not stay where it is.
    :returns: the image that was exported, if it is here.
    :raises KhibError: what does not fit.
    """
    back.refuse_bad_entry(core.entry, core.target)
    if not moves:
        refuse_own(core)
    machine = moved.seen(read_hardware())
    if core.manifest is None:
        sink(
            Message(
                _("this vmcore does not say which machine, disks and kernel it came from: nobody checks them"), Level.WARNING
            )
        )
        refuse_elsewhere(core, machine)
        return None
    uname = os.uname()
    findings = compare(core.manifest.disks, take.again(devices, core.manifest.disks))
    findings += restorer.mismatches(machine, core.manifest, (uname.release, uname.version))
    for finding in findings:
        sink(finding)
    refuse(findings)
    return original_of(core.manifest, devices)


def refuse_own(core: Vmcore) -> None:
    """See that this kernel's own RAM is not what is restored: it lies in the region, or else where the vmcore has nothing.

    :raises Refused: it does not.
    """
    if core.manifest:
        ownram.refuse_beyond(core.manifest.region_ranges)
    ownram.refuse_over(core.target)


def original_of(manifest: Manifest, devices: Sequence[BlockDevice]) -> Found | None:
    """Find the image that was exported: with it, the system in it still is resumed only once.

    :raises ImageError: it must not be resumed (any more), or there are several copies of it.
    """
    found = [item for item in catalog.search(devices) if item.header.image_id == manifest.image_id]
    for item in found:
        catalog.refuse_state(item.header)
    return catalog.choose(found) if found else None


def work(
    core: Vmcore, taken: int, devices: Sequence[BlockDevice], device: BlockDevice | None, original: Found | None,
    sink: Sink, stop: Stop,
) -> NoReturn:  # fmt: skip
    """Restore and jump; returns only by raising. The image that was exported is claimed before.

    :param taken: bytes of the vmcore.
    :raises KhibError: why not.
    """
    refuse_own(core)
    memory, sink = PhysicalMemory(writable=True), steady(sink)
    meter = Meter(sink, StageName.RESTORE, core.target.total, stop)

    sink(Stage(StageName.RESTORE, Status.STARTED, _("from a vmcore")))
    fill(core, memory, meter.add)
    sink(Stage(StageName.RESTORE, Status.DONE, size(core.target.total), meter.elapsed))
    stop.check()
    stop.too_late()
    region = core.manifest.region if core.manifest else ownram.system_ram().spans
    back.load_back(memory, entry=core.entry, gdt=core.gdt, stub_page=back.stub_page(region))
    with claims.taken_back(devices):
        if core.manifest:
            kernel_c.tell(memory, core.manifest.way_back, resumed(core, core.manifest, taken, meter.elapsed), sink)
            refuse(compare(core.manifest.disks, take.again(devices, core.manifest.disks)))
        if original:
            with opened_image(devices, original.target) as store:
                claims.claim(store, original.target, original.header.image_id)
        back.jump()
        raise Refused(_("the jump returned"), ident="HIB-E-JUMP")


def resumed(core: Vmcore, manifest: Manifest, taken: int, seconds: float) -> Report:
    """Return what A is told."""
    return Report(
        Outcome.RESUMED, _("the system was restored from a vmcore"), image_id=manifest.image_id, image_bytes=taken,
        memory_bytes=core.target.total, save_seconds=manifest.save_seconds, restore_seconds=seconds,
    )  # fmt: skip
