"""The whole work of kernel C: find the image, check that it may be resumed, restore memory, jump to A."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from khib_tui.decide.findings import refuse
from khib_tui.errors import Refused
from khib_tui.events.progress import Stop, Work
from khib_tui.events.sinks import steady
from khib_tui.events.stages import in_restorer
from khib_tui.events.types import Level, Message, Sink, Stage, StageName, Status
from khib_tui.facts import blockdev
from khib_tui.facts.hardware import read_hardware
from khib_tui.handover import moved
from khib_tui.handover.cmdline import Words
from khib_tui.handover.report import Outcome, Report, leave
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image.header import Header
from khib_tui.image.manifest import Manifest, WayBack
from khib_tui.image.store import Store
from khib_tui.image.watch import Watch
from khib_tui.jump import back, ownram
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model import identity
from khib_tui.model.identity import DeviceKey
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint
from khib_tui.model.units import size
from khib_tui.prints import take
from khib_tui.prints.compare import compare
from khib_tui.restorer import claim as claims
from khib_tui.restorer import move
from khib_tui.restorer import restore as restorer
from khib_tui.target import guard
from khib_tui.target.catalog import Found, find
from khib_tui.target.place import networked, opened

Present = Callable[[str, Work[None]], None]


def begin() -> None:
    """What comes before any image is looked for: an earlier try of this kernel is cleared up, its own RAM is looked at.

    :raises Refused: this kernel uses memory that its words did not give it, and cannot move.
    """
    claims.take_back_left()
    if not move.can(Path("/"), Words.read()):
        ownram.refuse_beyond_words()


@contextmanager
def prepared(
    devices: Sequence[BlockDevice], found: Found, sink: Sink, *, trial: bool = False
) -> Iterator[tuple[Store, Header, Manifest]]:  # fmt: skip
    """Protect A's disks, open the image and check all that must match, before anything is restored.

    :param trial: nothing is going to be restored: instead of moving, it is seen whether this kernel could.
    :raises KhibError: why it is refused; nothing was changed.
    """
    refuse_unsealed(found.header, Words.read().sealed)
    guard.protect(guard.others(devices, identity.under(devices, found.target)))
    with opened(devices, found.target) as store:
        header, manifest = restorer.examine(store, found.sealer)
        devices = all_disks(manifest.disks, found.target.keys)
        guarded = guard.others(devices, identity.under(devices, found.target))
        guard.protect(guarded)
        sink(Message(_("{count} disks and partitions are write-protected").format(count=len(guarded))))
        uname = os.uname()
        findings = compare(manifest.disks, take.again(devices, manifest.disks))
        machine = moved.seen(read_hardware())
        findings += restorer.mismatches(machine, manifest, (uname.release, uname.version))
        moves = trial and move.can(Path("/"), Words.read()) and move.lies_outside(manifest)
        findings += [] if moves else restorer.outside(machine, manifest)
        for finding in findings:
            sink(finding)
        refuse(findings)
        if moves:
            move.tried(manifest, move.handed(move.judged(devices, manifest, sink), found), sink)
        else:
            ownram.refuse_beyond(manifest.region_ranges)
        yield store, header, manifest


def all_disks(before: Sequence[DiskPrint], others: Sequence[DeviceKey] = ()) -> Sequence[BlockDevice]:
    """Wait until the disks that A used are there, and others; return what is there when time is over."""
    units = all(item.unit is not None for item in before)
    wanted = [take.key_of_print(item) for item in before if item.needed]

    def complete(devices: Sequence[BlockDevice]) -> bool:
        return not take.absent(devices, wanted, units=units) and not take.absent(devices, others)

    return guard.settled(complete)


def refuse_unsealed(header: Header, sealed: bool) -> None:
    """Refuse an image that is not sealed where all are: somebody may have put it there.

    :raises Refused: it is one.
    """
    if sealed and header.seal is None:
        raise Refused(
            _("the image is not sealed, and this system seals its images"), ident="HIB-E-UNSEALED",
            hint=_("it is not of this system, or somebody has exchanged it: boot normally, and look at `khib image info`"),
        )  # fmt: skip


def work(devices: Sequence[BlockDevice], found: Found, sink: Sink, stop: Stop) -> NoReturn:
    """Restore and jump; returns only by raising.

    :raises KhibError: why not; the image is still complete and nothing is lost.
    """
    sink = steady(sink)
    refuse_unsealed(found.header, Words.read().sealed)
    move.into_region(devices, found, sink, stop)
    sink(in_restorer())
    sink(Stage(StageName.RESTORE, Status.STARTED, _("from {where}").format(where=found.where)))
    with claims.taken_back(devices):
        with networked(found.target), prepared(devices, found, sink) as (store, header, manifest), Watch() as watch:
            memory = PhysicalMemory(writable=True)
            seconds = restorer.fill_memory(store, manifest, memory, sink, stop, found.sealer)
            sink(Stage(StageName.RESTORE, Status.DONE, size(manifest.saved_ranges.total - manifest.free_bytes), seconds))
            stop.check()
            stop.too_late()
            way = manifest.way_back
            back.refuse_bad_entry(way.entry, manifest.saved_ranges)
            back.load_back(memory, entry=way.entry, gdt=way.gdt, stub_page=back.stub_page(manifest.region))
            tell(memory, way, resumed(header, manifest, seconds), sink)
            sink(Message(watch.words(N_("restorer"))))
            refuse(compare(manifest.disks, take.again(blockdev.devices(), manifest.disks)))
            claims.claim(store, found.target, header.image_id)
        back.jump()
        raise Refused(_("the jump returned"), ident="HIB-E-JUMP")


def tell(memory: PhysicalMemory, way: WayBack, report: Report, sink: Sink) -> None:
    """Leave the report in A's page; a resume is not refused for want of it."""
    try:
        told = leave(memory, way.report_page, bytes.fromhex(way.cookie), report)
    except Exception:
        told = False
    if not told:
        sink(Message(_("the report page has moved: the system will come back without a report"), Level.WARNING))


def resumed(header: Header, manifest: Manifest, seconds: float) -> Report:
    """Tell A what was done."""
    restored = manifest.saved_ranges.total - manifest.free_bytes
    return Report(
        Outcome.RESUMED, _("the system was restored from its image"), image_id=header.image_id,
        image_bytes=header.image_bytes, memory_bytes=restored, save_seconds=manifest.save_seconds, restore_seconds=seconds,
        codec=manifest.codec,
    )  # fmt: skip


def repair(devices: Sequence[BlockDevice], found: Found) -> None:
    """Make a damaged header whole from its second copy; the state stays what it is.

    :raises KhibError, OSError: the medium cannot be written.
    """
    with opened(devices, found.target) as store:
        headers.mend(store)


def run(
    present: Present, wanted: str, word: str, unlock: Callable[[Found], Found], told: Callable[[str], None], *,
    mend: bool = False,
) -> None:  # fmt: skip
    """Find the image and resume it.

    :param unlock: opens a sealed image.
    :param told: is told what is waited for.
    :param mend: repair its header before.
    :raises KhibError: why not; the image is kept.
    """
    begin()
    devices, found = find(wanted, word, told)
    found = unlock(found)
    if mend:
        repair(devices, found)
    present(_("Resuming {host}").format(host=found.header.host), lambda sink, stop: work(devices, found, sink, stop))
