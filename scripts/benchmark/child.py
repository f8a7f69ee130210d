"""What is measured of khib, each in a process of its own, as B and C run it; prints `{"work": seconds, ...}`.

python -m benchmark.child save MEMORY_DIRECTORY IMAGE CODEC [--sealed]
python -m benchmark.child restore IMAGE MEMORY
python -m benchmark.child verify IMAGE
python -m benchmark.child both MEMORY_DIRECTORY KIND MEDIUM SEED IMAGE CODEC
python -m benchmark.child compare MEMORY_DIRECTORY IMAGE MEMORY
python -m benchmark.child memcpy FROM TO
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from benchmark.media import Pace, Paced
from benchmark.sample import PIECE, Sample, opened
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Message, encode
from khib_tui.handover.handover import FreePages, Handover
from khib_tui.image import header as headers
from khib_tui.image import reader
from khib_tui.image import verify as verifying
from khib_tui.image.manifest import read_index
from khib_tui.image.store import BLOCK, Store
from khib_tui.linux.devmem import PhysicalMemory, span
from khib_tui.model.choices import CodecChoice
from khib_tui.model.machine import MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB, PAGE
from khib_tui.restorer import restore as restorer
from khib_tui.saver import save as saver
from khib_tui.seal.crypto import Sealer, best_cipher
from khib_tui.seal.keyslots import Seal

IMAGE_ID = "be" * 16
KEY = bytes(range(32))


def sink(event: Event) -> None:
    """Print what khib says beside progress, for the log."""
    if isinstance(event, Message):
        print(encode(event).decode(), flush=True)


def save_to(handover: Handover, entry: int, memory: PhysicalMemory, image: Path) -> dict[str, object]:
    """Save into a new file, from the first header to the last."""
    with image.open("wb") as stream:
        stream.truncate(Ranges.of(handover.saved).total + 64 * MIB)
    began = time.monotonic()
    with Store(image, writable=True) as store:
        header = saver.save(handover, entry, memory, store, (), ("benchmark", "benchmark"), sink, Stop())
    os.truncate(image, -(-header.image_bytes // BLOCK) * BLOCK)
    return {"work": time.monotonic() - began, "bytes": header.image_bytes}


def save(directory: str, image: str, codec: str, sealed: str = "") -> dict[str, object]:
    """Save the sample."""
    sample = opened(Path(directory))
    handover = msgspec.structs.replace(sample.handover(IMAGE_ID), codec=CodecChoice(codec))
    if sealed:
        # B gets the image's key ready made, and C's passphrase is not measured.
        handover = msgspec.structs.replace(handover, seal=Seal(best_cipher(), ()), key=KEY.hex())
    return save_to(handover, sample.facts.entry, PhysicalMemory(sample.path), Path(image))


def opener(store: Store) -> Sealer | None:
    """Return the sealer of an image that `save` made."""
    header = headers.read(store)
    return Sealer(KEY, header.seal.cipher, header.image_id) if header and header.seal else None


class Kept(mmap.mmap):
    """A mapping that stays when it is closed."""

    def close(self) -> None:
        """Keep it."""


class Mapped(PhysicalMemory):
    """Physical memory that is mapped once and for all: /dev/mem is mapped in no time, a file in memory page by page."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        self.maps: dict[tuple[int, int], mmap.mmap] = {}

    def map(self, start: int, end: int) -> mmap.mmap:
        """Map whole pages."""
        if (start, end) not in self.maps:
            access = mmap.PROT_READ | mmap.PROT_WRITE
            self.maps[start, end] = Kept(self.fd, end - start, mmap.MAP_SHARED | mmap.MAP_POPULATE, access, offset=start)
        return self.maps[start, end]


def restore(image: str, memory: str) -> dict[str, object]:
    """Put an image into a file that stands in for memory; its mapping is not measured."""
    target = Mapped(Path(memory))
    with Store(Path(image)) as store:
        saved = restorer.examine(store, opener(store))[1].saved_ranges
    for start, end in saved:
        at = start
        while at < end:
            at = span(at, saved)[1]
            target.map(*span(at - 1, saved))
    return restore_to(Path(image), target)


def restore_to(image: Path, memory: PhysicalMemory) -> dict[str, object]:
    """Do what C does between choosing an image and claiming it."""
    began = time.monotonic()
    with Store(image) as store, closing(memory):
        sealer = opener(store)
        _, manifest = restorer.examine(store, sealer)
        restorer.fill_memory(store, manifest, memory, sink, Stop(), sealer)
    return {"work": time.monotonic() - began}


def verify(image: str) -> dict[str, object]:
    """Read, check and decompress everything."""
    began = time.monotonic()
    with Store(Path(image)) as store:
        sealer = opener(store)
        header, _ = restorer.examine(store, sealer)
        verifying.verify(store, header, sink, Stop(), sealer)
    return {"work": time.monotonic() - began}


class Comparing:
    """A filler that compares what an image holds with memory, and zeros with zeros."""

    def __init__(self, sample: Sample, restored: Path) -> None:
        self.original, self.restored = _mapped(sample.path), _mapped(restored)
        self.content = self.zeros = 0

    def put(self, spans: Sequence[reader.Span], data: memoryview) -> None:
        """Compare what belongs into spans of memory with the sample and with what was restored."""
        for start, end in spans:
            piece, data = data[: end - start], data[end - start :]
            assert piece == self.original[start:end] == self.restored[start:end], f"{start:#x}"
            self.content += end - start

    def zero(self, start: int, end: int) -> None:
        """Compare zeros."""
        assert not any(self.original[start:end]) and not any(self.restored[start:end]), f"{start:#x}"
        self.zeros += end - start


def compare(directory: str, image: str, memory: str) -> dict[str, object]:
    """Check a restored memory against the sample, by what the image says it holds."""
    began = time.monotonic()
    comparing = Comparing(opened(Path(directory)), Path(memory))
    with Store(Path(image)) as store:
        sealer = opener(store)
        _, manifest = restorer.examine(store, sealer)
        payload = reader.Payload(store, manifest, read_index(store, manifest), sealer)
        reader.unfold(payload, comparing, lambda _: None)
    return {"work": time.monotonic() - began, "content": comparing.content, "zeros": comparing.zeros}


class Repeated(PhysicalMemory):
    """Physical memory of any size, each GiB of which is the same file."""

    def map(self, start: int, end: int) -> mmap.mmap:
        """Map whole pages of one GiB."""
        assert start // GIB == (end - 1) // GIB
        return super().map(start % GIB, (end - 1) % GIB + 1)


def both(directory: str, kind: str, medium: str, seed: str, image: str, codec: str) -> dict[str, object]:
    """Save a memory of some kind to a medium, and restore it over itself, each at another seed of the medium's pace."""
    memory, path = Path(directory) / kind, Path(image)
    spans = ((PAGE, memory.stat().st_size),)
    handover = msgspec.structs.replace(
        opened(Path(directory)).handover(IMAGE_ID), codec=CodecChoice(codec), free_pages=FreePages.SAVE, vmcoreinfo="",
        ram=spans, saved=spans, firmware_memmap=(MemoryRange(0, spans[0][1], "System RAM"),),
    )  # fmt: skip

    def store(turn: int) -> Store:
        if medium == "fast":
            return Store(path, writable=not turn)
        return Paced(path, Pace(medium, int(seed) * 2 + turn), writable=not turn)

    path.write_bytes(b"")
    os.truncate(path, spans[0][1] + 64 * MIB)
    target = Mapped(memory)
    target.map(*span(PAGE, Ranges.of(spans)))
    began = time.monotonic()
    with store(0) as opened_store:
        header = saver.save(handover, MIB, PhysicalMemory(memory), opened_store, (), ("benchmark", "benchmark"), sink, Stop())
    saved = time.monotonic() - began
    os.truncate(path, -(-header.image_bytes // BLOCK) * BLOCK)
    began = time.monotonic()
    with store(1) as opened_store, closing(target):
        _, manifest = restorer.examine(opened_store)
        restorer.fill_memory(opened_store, manifest, target, sink, Stop())
    restored = time.monotonic() - began
    return {"work": saved + restored, "save": saved, "restore": restored}


def grow(directory: str, gib: str, image: str) -> dict[str, object]:
    """Save a synthetic memory of so many GiB, with no description of its kernel."""
    spans = ((PAGE, int(gib) * GIB),)
    handover = msgspec.structs.replace(
        opened(Path(directory)).handover(IMAGE_ID), codec=CodecChoice.LZ4, free_pages=FreePages.SAVE, vmcoreinfo="",
        ram=spans, saved=spans, firmware_memmap=(MemoryRange(0, int(gib) * GIB, "System RAM"),),
    )  # fmt: skip
    return save_to(handover, MIB, Repeated(Path(directory) / PIECE), Path(image))


def shrink(directory: str, gib: str, image: str) -> dict[str, object]:
    """Restore it over itself: each GiB brings the same content."""
    return restore_to(Path(image), Repeated(Path(directory) / PIECE, writable=True))


def memcpy(source: str, target: str) -> dict[str, object]:
    """Copy one file's mapping over another's, both in memory: the limit of all that touches each byte once."""
    data, to = _mapped(Path(source)), _mapped(Path(target), write=True)
    count = min(len(data), len(to))
    began = time.monotonic()
    with memoryview(data) as from_view, memoryview(to) as to_view:
        for at in range(0, count, 64 * MIB):
            end = min(at + 64 * MIB, count)
            to_view[at:end] = from_view[at:end]
    return {"work": time.monotonic() - began}


def _mapped(path: Path, *, write: bool = False) -> mmap.mmap:
    access = mmap.PROT_READ | (mmap.PROT_WRITE if write else 0)
    with path.open("r+b" if write else "rb") as stream:
        return mmap.mmap(stream.fileno(), 0, mmap.MAP_SHARED | mmap.MAP_POPULATE, access)


VERBS: dict[str, Callable[..., dict[str, object]]] = {
    "save": save, "restore": restore, "verify": verify, "compare": compare, "memcpy": memcpy, "both": both,
    "grow": grow, "shrink": shrink,
}  # fmt: skip

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])))
