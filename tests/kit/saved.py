"""A physical memory in a file, what A hands over about it, and images of it."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Sink
from khib_tui.handover.handover import Handover, Mode
from khib_tui.image import header as headers
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.machine import Cpu, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import restore as restorer
from khib_tui.saver import save as saver

SIZE = 24 * MIB
RAM = Ranges.of([(PAGE, 0x9F000), (MIB, SIZE)])
REGION = Ranges.of([(PAGE, 0x9F000), (4 * MIB, 8 * MIB)])
CPU = Cpu("v", "m", 6, 1, 1, 2, False, True, "f" * 64)


def content() -> bytearray:
    """The content of a memory: text, noise, zeros in runs long and short."""
    noise = random.Random(7)
    data = bytearray(SIZE)
    for page in range(0, SIZE, PAGE):
        kind = noise.randrange(4)
        if kind == 0:
            data[page : page + PAGE] = noise.randbytes(PAGE)
        elif kind == 1:
            data[page : page + PAGE] = (b"khib %08d " % page * 300)[:PAGE]
    data[10 * MIB : 14 * MIB] = bytes(4 * MIB)
    return data


def empty(path: Path, size: int) -> Path:
    """Make a file of zeros that take no room."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def handover(codec: CodecChoice = CodecChoice.LZ4, **changes: object) -> Handover:
    """What A hands over."""
    made = Handover(
        mode=Mode.SAVE, image_id="ab" * 16, created=1.0, host="h", release="6.1", version="#1", cpu=CPU, uefi=False, dmi={},
        firmware_memmap=(MemoryRange(0, SIZE, "System RAM"),), ram=RAM.spans, region=REGION.spans,
        saved=(RAM - REGION).spans, mailbox=0, gdt=1 << 63, report_page=MIB, cookie="00" * 32, page_offset=0xFFFF888000000000,
        vmcoreinfo="OSRELEASE=6.1\n", target=None, codec=codec,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def nothing(event: Event) -> None:
    """Take an event."""


def save(
    memory: Path, target: Path, given: Handover, stop: Stop | None = None, sink: Sink = nothing, entry: int = 3 * MIB
) -> headers.Header:
    """Save a memory into an image."""
    with Store(target, writable=True) as store:
        return saver.save(given, entry, PhysicalMemory(memory), store, (), ("6.1", "#1"), sink, stop or Stop())


def restore(target: Path, memory: Path) -> None:
    """Restore an image into a memory."""
    with Store(target, writable=True) as store:
        _, manifest = restorer.examine(store)
        restorer.fill_memory(store, manifest, PhysicalMemory(memory, writable=True), nothing, Stop())


def memory_copy(tmp_path: Path) -> Path:
    """An empty memory to restore into."""
    return empty(tmp_path / "scratch", SIZE)


class Flipped(Store):
    """A medium in memory, to read from."""

    def __init__(self, data: bytearray) -> None:
        self.data, self.path = data, Path("memory")

    def view(self, offset: int, count: int) -> memoryview:
        if offset + count > len(self.data):
            raise ImageError("cut off", ident="HIB-E-TRUNCATED")
        return memoryview(bytes(self.data[offset : offset + count]))
