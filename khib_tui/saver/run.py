"""The whole work of kernel B: protect A's disks, save or rehearse, then power off or jump back to A."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from khib_tui.decide.findings import refuse
from khib_tui.errors import Cancelled, FailedAfterChange, KhibError, Refused
from khib_tui.events.progress import Stop, Work
from khib_tui.events.types import Failure, Message, Sink, Stage, StageName, Status
from khib_tui.handover.handover import Handover, Mode
from khib_tui.handover.report import Outcome, Report, leave
from khib_tui.image import header as headers
from khib_tui.image import verify
from khib_tui.image.header import Header, State
from khib_tui.jump import back, ownram
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.linux.syscalls import REBOOT_POWER_OFF, REBOOT_RESTART, kexec_unload, reboot
from khib_tui.model import identity
from khib_tui.model.choices import After
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import size
from khib_tui.prints import take
from khib_tui.prints.compare import compare
from khib_tui.saver import room
from khib_tui.saver import save as saver
from khib_tui.target import guard
from khib_tui.target.place import opened

Present = Callable[[str, Work[Header | None]], Header | None]


def run(handover: Handover, present: Present) -> NoReturn:
    """Do what the hand-over says. Ends in power-off or in A.

    :param present: draws the work on a screen or as lines.
    """
    memory = PhysicalMemory(writable=True)
    entry = mailbox(memory, handover.mailbox)
    back.refuse_bad_entry(entry, Ranges.of(handover.saved))
    titles = {
        Mode.SAVE: "Hibernating", Mode.REHEARSE: "Rehearsing the jump", Mode.REHEARSE_SAVE: "Rehearsing a hibernation",
    }  # fmt: skip
    started = time.monotonic()
    watch = room.Watch()
    try:
        refuse_unfit(handover, watch.lowest)
        with watch:
            header = present(titles[handover.mode], lambda sink, stop: work(handover, entry, memory, sink, stop))
    except ownram.Overwritten as error:
        strand(Report(Outcome.FAILED, "nothing was saved"), error)
    except BaseException as error:
        go_back(handover, memory, entry, watch.noted(failure(error)))
    seconds = time.monotonic() - started
    if handover.mode is not Mode.SAVE:
        go_back(handover, memory, entry, watch.noted(rehearsed(handover, header, seconds)))
    leave_machine(handover.after)


def mailbox(memory: PhysicalMemory, page: int) -> int:
    """Read the jump back entry that the stub left."""
    (entry,) = struct.unpack("<Q", memory.read(page, 8))
    return int(entry)


def refuse_unfit(handover: Handover, free: int) -> None:
    """See that this kernel keeps to its region and has the memory to save, before it does anything else.

    :param free: bytes of memory that can be had.
    :raises KhibError: why not.
    """
    region = Ranges.of(handover.region)
    ownram.refuse_outside(region, Ranges.of(handover.ram))
    room.refuse_shortage(region.total, free, room.total())


def work(handover: Handover, entry: int, memory: PhysicalMemory, sink: Sink, stop: Stop) -> Header | None:
    """Save, unless the mode is to come straight back; gives the header of what was saved."""
    devices, target = find_disks(handover)
    guarded = guard.others(devices, target)
    guard.protect(guarded)
    sink(Message(f"{len(guarded)} disks and partitions are write-protected"))
    if handover.mode is Mode.REHEARSE or handover.target is None:
        return None
    prints = prints_of(handover, devices, target)
    uname = os.uname()
    with opened(devices, handover.target, create=True) as store:
        sink(Stage(StageName.SAVE, Status.STARTED, f"to {target.path if target else ''}{handover.target.path}"))
        started = time.monotonic()
        header = saver.save(handover, entry, memory, store, prints, (uname.release, uname.version), sink, stop)
        sink(Stage(StageName.SAVE, Status.DONE, size(header.image_bytes), time.monotonic() - started))
        if handover.mode is Mode.REHEARSE_SAVE:
            verify.verify(store, header, sink, Stop(), saver.sealer_of(handover))
            header = headers.advance(store, header, State.ABANDONED, "it was a rehearsal")
    return header


def find_disks(handover: Handover) -> tuple[Sequence[BlockDevice], BlockDevice | None]:
    """Look for the target, and for all that A uses, until they are there.

    :raises KhibError: one of them does not appear.
    """
    wanted = [item.key for item in handover.used]
    both = [*wanted, *([handover.target.key] if handover.target else [])]
    devices = guard.settled(lambda devices: not take.absent(devices, dict.fromkeys(both)) and not take.absent(devices, wanted))
    target = identity.find(devices, handover.target.key) if handover.target else None
    if missing := take.absent(devices, wanted):
        names = ", ".join(f"{item.name} ({item.what})" for item in handover.used if item.key in missing)
        raise Refused(
            f"the saver does not find disks that the system uses: {names}", ident="HIB-E-SAVER-DISKS",
            hint="if they need a driver, see that the saver's kernel has it; else unmount them before",
        )  # fmt: skip
    return devices, target


def prints_of(handover: Handover, devices: Sequence[BlockDevice], target: BlockDevice | None) -> tuple[DiskPrint, ...]:
    """Take the prints of A's disks, and see that they would be found equal to themselves.

    :raises Refused: one cannot be read.
    """
    prints = take.taken(devices, [target] if target else [], handover.used)
    refuse(compare(prints, prints))
    return prints


def failure(error: BaseException) -> Report:
    """Return why A is back."""
    if isinstance(error, Cancelled):
        return Report(Outcome.CANCELLED, error.message, ident=error.ident)
    told = Failure.of(error)
    return Report(Outcome.FAILED, told.message, told.hint, told.ident)


def rehearsed(handover: Handover, header: Header | None, seconds: float) -> Report:
    """Return what was tried."""
    saved = Ranges.of(handover.saved).total
    if header is None:
        return Report(Outcome.REHEARSED, "the jump and the way back work")
    return Report(
        Outcome.REHEARSED, "saving, verifying and the way back work", image_id=header.image_id,
        image_bytes=header.image_bytes, memory_bytes=saved, save_seconds=seconds,
    )  # fmt: skip


def go_back(handover: Handover, memory: PhysicalMemory, entry: int, report: Report) -> NoReturn:
    """Jump back to A with a report. If even that is impossible, say so and wait for the user to power off."""
    with suppress(KhibError, OSError):
        leave(memory, handover.report_page, bytes.fromhex(handover.cookie), report)
    try:
        with suppress(KhibError):
            kexec_unload()
        back.load_back(memory, entry=entry, gdt=handover.gdt, stub_page=back.stub_page(handover.region))
        back.jump()
    except (KhibError, OSError) as error:
        strand(report, error)
    strand(report, FailedAfterChange("the jump returned"))


def strand(report: Report, error: Exception) -> NoReturn:
    """The way back is closed: A is lost as by a power cut, and the user must know."""
    print(f"\r\n{report.text}\r\nThere is no way back to the running system: {error}\r\n")
    print("Its disks are as after a power cut. Switch the machine off and start it normally.\r\n", flush=True)
    while True:
        time.sleep(3600)


def leave_machine(after: After) -> NoReturn:
    """Power off, or as the user chose. The image is complete: A must never run on from here."""
    if after is After.PLATFORM:
        with suppress(OSError):
            platform_off()
    with suppress(KhibError):
        reboot(REBOOT_RESTART if after is After.REBOOT else REBOOT_POWER_OFF)
    print("\r\nThe image is complete. Switch the machine off now.\r\n", flush=True)
    while True:
        time.sleep(3600)


def platform_off() -> None:
    """Enter ACPI S4 from user space (kernel/power/user.c).

    :raises OSError: this kernel or firmware has no S4.
    """
    import fcntl

    fd = os.open(Path("/dev/snapshot"), os.O_RDONLY)
    try:
        fcntl.ioctl(fd, _SNAPSHOT_PLATFORM_SUPPORT, 1)
        fcntl.ioctl(fd, _SNAPSHOT_POWER_OFF)
    finally:
        os.close(fd)


_SNAPSHOT_PLATFORM_SUPPORT = 0x330F
_SNAPSHOT_POWER_OFF = 0x3310
