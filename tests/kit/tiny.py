"""A machine of 48 pages, whose kernels B and C run in this process with all around them faked."""

from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.commands.save import patiently
from khib_tui.errors import CommandFailed, ImageError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Sink
from khib_tui.facts import blockdev, probe
from khib_tui.handover import handover as handovers
from khib_tui.handover.cmdline import Words
from khib_tui.handover.handover import Handover, Mode
from khib_tui.handover.report import COOKIE_SIZE, Report
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.jump import back, ownram
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.linux.syscalls import REBOOT_KEXEC
from khib_tui.model.choices import CodecChoice
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import claim as claims
from khib_tui.restorer import restore as restorer
from khib_tui.restorer import run as kernel_c
from khib_tui.saver import base, leave, supervise
from khib_tui.saver import run as kernel_b
from khib_tui.saver.fate import Byte
from khib_tui.target import place
from khib_tui.target.catalog import Found
from tests.kit import saved

PAGES = 48
RAM, REGION = Ranges.of([(PAGE, PAGES * PAGE)]), Ranges.of([(4 * PAGE, 6 * PAGE)])
REPORT, MAILBOX, ENTRY = PAGE, 3 * PAGE, 2 * PAGE + 16
TARGET = 4 * MIB
DISK = 512 * 1024


class Left(BaseException):
    """This kernel does not run any more."""


class BackInA(Left):
    """A runs."""


class PowerOff(Left):
    """Nothing runs."""


class End(StrEnum):
    """How a run of B or C ended, as the machine sees it."""

    BACK = "A runs"
    OFF = "power off"
    STRANDED = "a shell in B"
    STAYED = "C still runs"


def content(seed: int = 1) -> bytes:
    """The memory of A: noise and text, the cookie, the mailbox."""
    data = bytearray(random.Random(seed).randbytes(2 * PAGE) + (b"khib" * 1024) * (PAGES - 2))
    data[REPORT : REPORT + PAGE] = bytes(PAGE)
    data[MAILBOX : MAILBOX + 8] = ENTRY.to_bytes(8, "little")
    return bytes(data)


def device(path: Path, number: int) -> BlockDevice:
    """A partition that is a file."""
    name = "..!" + str(path).strip("/").replace("/", "!")
    return BlockDevice(
        name=name, size=path.stat().st_size, kind="partition", disk=f"disk{number}", disk_id=f"d{number}", start=1,
        serial=f"s{number}", fstype="khib" if number else "ext4",
    )  # fmt: skip


@dataclass
class Tiny:
    """The machine. `guarded` encloses each run of a kernel, for faults; `leaving` is called at a jump.

    :param file: whether the image is a file on a filesystem, not a partition.
    """

    directory: Path
    file: bool = False
    loaded: bool = False
    left: bytes = b""
    opened: list[PhysicalMemory] = field(default_factory=list)
    guarded: Callable[[Callable[[], Any]], Any] = field(default=lambda work: work())
    leaving: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        self.jump = self.can_jump
        self.memory, self.disk = self.directory / "memory", self.directory / "disk"
        self.partition = saved.empty(self.directory / "partition", TARGET)
        self.disk.write_bytes(random.Random(5).randbytes(DISK))
        self.mounted = self.directory / "mounted"
        self.mounted.mkdir()
        self.image = self.mounted / "image" if self.file else self.partition
        self.fresh()

    def fresh(self, seed: int = 1) -> None:
        """Start A anew, with an empty target."""
        self.memory.write_bytes(content(seed))
        saved.empty(self.image, TARGET)

    @property
    def devices(self) -> list[BlockDevice]:
        """What B and C find."""
        return [device(self.disk, 0), device(self.partition, 1)]

    @property
    def target(self) -> TargetRef:
        """Where the image goes to."""
        return TargetRef(key_of(self.devices[1]), "/image" if self.file else "")

    def handover(self, mode: Mode, **changes: object) -> Handover:
        """What A hands over."""
        given: dict[str, object] = {
            "mode": mode, "firmware_memmap": (MemoryRange(0, RAM.end, "System RAM"),), "ram": RAM.spans,
            "region": REGION.spans, "saved": (RAM - REGION).spans, "mailbox": MAILBOX, "report_page": REPORT,
            "target": self.target, "setup_id": "0123456789abcdef",
        }  # fmt: skip
        return saved.handover(CodecChoice.LZ4, **(given | changes))

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        """Put the fakes in place."""
        for module in (base, kernel_c):
            patch.setattr(module, "PhysicalMemory", self.physical)
        patch.setattr(back, "kexec_load", self.load)
        patch.setattr(back, "reboot", self.reboot)
        for module in (supervise, leave):
            patch.setattr(module, "reboot", self.reboot)
        patch.setattr(supervise, "loaded", lambda: self.loaded)
        patch.setattr(supervise, "apart", apart)
        patch.setattr(supervise, "time", self)  # who waits for ever is switched off
        patch.setattr(blockdev, "devices", lambda: self.devices)
        patch.setattr(blockdev, "WAIT_FOR_DISKS", 0.0)
        patch.setattr(probe, "probe", lambda **_: None)
        patch.setattr(fcntl, "ioctl", lambda *_: 0)
        patch.setattr(place, "MOUNT_POINT", self.mounted)
        patch.setattr(place, "mount", lambda *_, **__: None)
        patch.setattr(place, "umount", lambda *_: None)
        patch.setattr(ownram, "system_ram", lambda *_: REGION)
        patch.setattr(restorer, "mismatches", lambda *_: [])
        patch.setattr(restorer, "outside", lambda *_: [])
        patch.setattr(Words, "read", classmethod(lambda *_: Words()))
        patch.setattr(claims, "PLACE", self.directory / "claim.json")

    def physical(self, writable: bool = False) -> PhysicalMemory:
        """Open the memory; `closed` closes it, for a kernel never does."""
        made = PhysicalMemory(self.memory, writable=True)
        self.opened.append(made)
        return made

    def closed(self) -> None:
        """Close what a kernel left open."""
        for memory in self.opened:
            with suppress(OSError):
                memory.close()
        self.opened.clear()

    def load(self, *_: object, **__: object) -> None:
        """Load a jump."""
        self.loaded = True

    def reboot(self, command: int) -> None:
        """Leave this kernel, if that is possible."""
        if command != REBOOT_KEXEC:
            self.leaving()
            raise PowerOff
        self.jump(command)
        self.left = self.image.read_bytes()
        self.leaving()
        raise BackInA

    def can_jump(self, _: int) -> None:
        """Refuse a jump of which nothing is loaded."""
        if not self.loaded:
            raise CommandFailed("nothing is loaded")

    def sleep(self, _: float) -> None:
        """Be switched off by whoever reads that."""
        raise PowerOff

    def b(self, mode: Mode, sink: Sink = saved.nothing, **changes: object) -> End:
        """Run B."""
        given, byte, self.loaded = self.handover(mode, **changes), Byte(), False
        present: kernel_b.Present = lambda _, work: work(sink, Stop())  # noqa: E731
        handovers.receive, was = lambda *_: given, handovers.receive

        def work() -> None:
            kernel_b.run(patiently(lambda: base.found(given, byte)), present)

        try:
            self.guarded(lambda: supervise.supervise(byte, work))
        except BackInA:
            return End.BACK
        except PowerOff:
            return End.OFF
        finally:
            handovers.receive = was
            self.closed()
        return End.STRANDED

    def c(self, sink: Sink = saved.nothing) -> tuple[End, str]:
        """Run C up to the jump; gives what it says instead of jumping."""
        self.loaded = False
        (self.directory / "claim.json").unlink(missing_ok=True)
        header = self.header()
        if header is None:
            return End.STAYED, "no image"
        found = Found(self.target, "x", header)
        try:
            self.guarded(lambda: kernel_c.work(self.devices, found, sink, Stop()))
        except BackInA:
            self.image.write_bytes(self.left)  # no kernel did anything after the jump
            return End.BACK, ""
        except Exception as error:
            return End.STAYED, str(error)
        finally:
            self.closed()
        raise AssertionError("C went on")

    def header(self) -> headers.Header | None:
        """The header that counts."""
        with Store(self.image) as store:
            return headers.read(store)

    def states(self) -> list[State | None]:
        """What the two slots say."""
        with Store(self.image) as store:
            return [slot.state if slot else None for slot in headers.read_slots(store)]

    def resumable(self, *, mend: bool = False) -> bool:
        """Whether C would resume the image.

        :param mend: after a repair of its header.
        """
        with Store(self.image, writable=True) as store:
            try:
                if mend:
                    headers.mend(store)
                restorer.examine(store)
            except ImageError:
                return False
        return True

    def report(self) -> Report | None:
        """What A was told."""
        page = self.memory.read_bytes()[REPORT + COOKIE_SIZE : REPORT + PAGE]
        length = int.from_bytes(page[:4], "little")
        return msgspec.json.decode(page[4 : 4 + length], type=Report) if length else None


def apart(work: Callable[[], None]) -> int:
    """Do the work of a child here, and say how it ended."""
    try:
        work()
    except Left:
        raise
    except BaseException:
        return os.EX_SOFTWARE << 8
    return 0
