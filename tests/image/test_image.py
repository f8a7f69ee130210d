"""Images written from and restored to a file that stands in for physical memory."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import Cancelled, ImageError, KhibError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Progress, StageName
from khib_tui.formats import vmcore
from khib_tui.handover.handover import Handover, Mode
from khib_tui.image import header as headers
from khib_tui.image import scan, verify
from khib_tui.image.header import State
from khib_tui.image.store import BUFFER, Store, Stream
from khib_tui.linux.buffers import Buffer
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.machine import Cpu, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import restore as restorer
from khib_tui.saver import save as saver
from khib_tui.seal.crypto import Cipher, Seal, Sealer

RAM = Ranges.of([(PAGE, 0x9F000), (MIB, 24 * MIB)])
REGION = Ranges.of([(PAGE, 0x9F000), (4 * MIB, 8 * MIB)])
CPU = Cpu("v", "m", 6, 1, 1, 2, False, True, "f" * 64)


def handover(codec: CodecChoice = CodecChoice.LZ4, **changes: object) -> Handover:
    made = Handover(
        mode=Mode.SAVE, image_id="ab" * 16, created=1.0, host="h", release="6.1", version="#1", cpu=CPU, uefi=False, dmi={},
        firmware_memmap=(MemoryRange(0, 24 * MIB, "System RAM"),), ram=RAM.spans, region=REGION.spans,
        saved=(RAM - REGION).spans, mailbox=0, gdt=1 << 63, report_page=MIB, cookie="00" * 32, page_offset=0xFFFF888000000000,
        vmcoreinfo="OSRELEASE=6.1\n", target=None, codec=codec,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A physical memory: text, noise, zeros in runs long and short."""
    path = tmp_path / "mem"
    noise = random.Random(7)
    data = bytearray(24 * MIB)
    for page in range(0, len(data), PAGE):
        kind = noise.randrange(4)
        if kind == 0:
            data[page : page + PAGE] = noise.randbytes(PAGE)
        elif kind == 1:
            data[page : page + PAGE] = (b"khib %08d " % page * 300)[:PAGE]
    data[10 * MIB : 14 * MIB] = bytes(4 * MIB)
    path.write_bytes(data)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    with path.open("wb") as stream:
        stream.truncate(40 * MIB)
    return path


def nothing(event: Event) -> None:
    """Take an event."""


def save(memory: Path, target: Path, given: Handover, stop: Stop | None = None, sink: object = nothing) -> headers.Header:
    with Store(target, writable=True) as store:
        return saver.save(given, 3 * MIB, PhysicalMemory(memory), store, (), ("6.1", "#1"), sink, stop or Stop())  # type: ignore[arg-type]


def restore(target: Path, memory: Path) -> None:
    with Store(target, writable=True) as store:
        _, manifest = restorer.examine(store)
        restorer.fill_memory(store, manifest, PhysicalMemory(memory, writable=True), nothing, Stop())


@pytest.mark.parametrize("codec", [CodecChoice.LZ4, CodecChoice.ZSTD, CodecChoice.NONE])
def test_a_saved_memory_comes_back_whole_and_the_region_is_left_alone(
    memory: Path, target: Path, tmp_path: Path, codec: CodecChoice
) -> None:
    header = save(memory, target, handover(codec))
    assert header.state is State.COMPLETE
    other = tmp_path / "other"
    other.write_bytes(b"\xaa" * 24 * MIB)
    restore(target, other)
    before, after = memory.read_bytes(), other.read_bytes()
    for start, end in RAM - REGION:
        assert after[start:end] == before[start:end]
    for start, end in REGION:
        assert after[start:end] == b"\xaa" * (end - start)


def test_zstd_works_harder_while_the_medium_is_behind(memory: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for behind in (False, True):
        monkeypatch.setattr(Stream, "behind", behind)
        sizes.append(save(memory, target, handover(CodecChoice.ZSTD)).image_bytes)
        restore(target, memory_copy(target.parent))
        target.write_bytes(bytes(40 * MIB))
    assert sizes[1] < sizes[0]


def test_a_stream_is_behind_while_a_full_buffer_waits_for_the_medium(target: Path) -> None:
    class Waiting(Store):
        go = threading.Event()

        def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
            assert self.go.wait(20)

    with Waiting(target, writable=True) as store:
        stream = Stream(store, 0)
        assert not stream.behind
        stream.append(bytes(2 * BUFFER))
        assert stream.behind
        store.go.set()
        stream.finish()
        assert not stream.behind


def test_zero_pages_are_left_out(memory: Path, target: Path) -> None:
    save(memory, target, handover(CodecChoice.NONE))
    with Store(target) as store:
        manifest = restorer.examine(store)[1]
    data = memory.read_bytes()
    kept = sum(
        1 for start, end in RAM - REGION for page in range(start, end, PAGE) if data[page : page + PAGE] != bytes(PAGE)
    ) * PAGE  # fmt: skip
    assert kept <= manifest.raw_size < (RAM - REGION).total - 3 * MIB


def test_the_payload_is_a_vmcore(memory: Path, target: Path) -> None:
    from elftools.elf.elffile import ELFFile

    save(memory, target, handover(CodecChoice.NONE))
    with Store(target) as store:
        manifest = restorer.examine(store)[1]
        raw = store.read(manifest.payload_offset, manifest.payload_size)
    path = target.with_name("vmcore")
    path.write_bytes(raw)
    data = memory.read_bytes()
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        assert elf["e_type"] == "ET_CORE"
        loads = list(elf.iter_segments("PT_LOAD"))
        assert sum(load["p_memsz"] for load in loads) == (RAM - REGION).total
        for load in loads:
            assert load["p_offset"]
            assert load.data() == data[load["p_paddr"] : load["p_paddr"] + load["p_filesz"]]


def test_every_flipped_byte_of_the_image_is_refused(memory: Path, target: Path, tmp_path: Path) -> None:
    header = save(memory, target, handover())
    sound = target.read_bytes()
    noise = random.Random(3)
    used = [
        *(noise.randrange(headers.PAYLOAD_OFFSET, header.image_bytes) for _ in range(30)),
        header.manifest_offset, header.image_bytes - 1,
    ]  # fmt: skip
    for at in used:
        broken = bytearray(sound)
        broken[at] ^= 1 << noise.randrange(8)
        target.write_bytes(broken)
        with pytest.raises(ImageError):
            restore(target, memory_copy(tmp_path))


@pytest.mark.parametrize("slot", headers.SLOTS)
def test_every_flipped_bit_of_a_header_slot_is_refused(memory: Path, target: Path, slot: int) -> None:
    save(memory, target, handover())
    store = Flipped(bytearray(target.read_bytes()[: headers.PAYLOAD_OFFSET]))
    for bit in range(slot * 8, (slot + 4096) * 8):
        store.data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError) as caught:
            headers.refuse_damage(store)
        assert caught.value.ident == headers.DAMAGED and caught.value.hint
        store.data[bit // 8] ^= 1 << bit % 8
    headers.refuse_damage(store)


def test_whatever_lies_between_the_slots_is_refused(memory: Path, target: Path) -> None:
    target.write_bytes(b"\xaa" * 40 * MIB)
    save(memory, target, handover())
    store = Flipped(bytearray(target.read_bytes()[: headers.PAYLOAD_OFFSET]))
    headers.refuse_damage(store)
    ends = {end + step for slot in (*headers.SLOTS, headers.PAYLOAD_OFFSET) for end in (slot, slot + 4096) for step in (-1, 0)}
    for at in [*range(0, headers.PAYLOAD_OFFSET, 8191), *ends & set(range(headers.PAYLOAD_OFFSET))]:
        store.data[at] ^= 1
        with pytest.raises(ImageError) as caught:
            headers.refuse_damage(store)
        assert caught.value.ident == headers.DAMAGED
        store.data[at] ^= 1


@pytest.mark.parametrize("at", [20, 9, 5000, MIB + 60])
def test_a_damaged_header_is_refused_until_it_is_repaired_from_its_second_copy(
    memory: Path, target: Path, tmp_path: Path, at: int
) -> None:
    save(memory, target, handover())
    with target.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ 1]))
    with pytest.raises(ImageError) as caught:
        restore(target, memory_copy(tmp_path))
    assert caught.value.ident == headers.DAMAGED
    with Store(target, writable=True) as store:
        headers.mend(store)
        assert restorer.examine(store)[0].state is State.COMPLETE
    restore(target, memory_copy(tmp_path))


def memory_copy(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    with path.open("wb") as stream:
        stream.truncate(24 * MIB)
    return path


def test_every_truncation_is_refused(memory: Path, target: Path, tmp_path: Path) -> None:
    header = save(memory, target, handover())
    sound = target.read_bytes()[: header.image_bytes]
    for length in [0, 1, 4095, 4096, MIB, MIB + 4096, *range(2 * MIB, header.image_bytes, header.image_bytes // 40)]:
        target.write_bytes(sound[:length])
        with pytest.raises(ImageError):
            restore(target, memory_copy(tmp_path))


@pytest.mark.parametrize("state", [state for state in State if state is not State.COMPLETE])
def test_only_a_complete_image_is_resumed(memory: Path, target: Path, state: State) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        headers.advance(store, header, state)
        with pytest.raises(ImageError) as caught:
            restorer.examine(store)
    assert caught.value.ident == f"HIB-E-IMAGE-{state.name}"


def test_a_claimed_image_stays_claimed_when_either_slot_rots(memory: Path, target: Path) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        headers.advance(store, header, State.CLAIMED)
    for slot in headers.SLOTS:
        broken = bytearray(target.read_bytes())
        broken[slot + 100] ^= 1
        other = target.with_name("broken")
        other.write_bytes(broken)
        with Store(other, writable=True) as store:
            found = headers.read(store)
            headers.mend(store)
            mended = headers.read(store)
        assert found is not None and found.state is State.CLAIMED
        assert mended is not None and mended.state is State.CLAIMED


def test_a_complete_image_is_not_overwritten(memory: Path, target: Path) -> None:
    save(memory, target, handover())
    with pytest.raises(ImageError, match="complete image"):
        save(memory, target, handover(image_id="cd" * 16))


def test_stopping_abandons_the_image(memory: Path, target: Path) -> None:
    stop = Stop()

    def sink(event: Event) -> None:
        stop.requested = isinstance(event, Progress) and event.stage == StageName.SAVE

    with pytest.raises(Cancelled):
        save(memory, target, handover(), stop, sink)
    with Store(target) as store:
        found = headers.read(store)
    assert found is not None and found.state is State.ABANDONED


class Dying(Store):
    """A medium that fails from its n-th write on, and loses what was not flushed at a power cut."""

    def __init__(self, path: Path, good: int) -> None:
        super().__init__(path, writable=True)
        self.good = good

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        self.good -= 1
        if self.good < 0:
            raise OSError(5, os.strerror(5), str(self.path))
        super().write_buffer(offset, buffer, count)


@pytest.mark.parametrize("good", range(12))
def test_a_dying_medium_never_leaves_a_complete_image_behind_a_failure(
    memory: Path, target: Path, tmp_path: Path, good: int
) -> None:
    with Dying(target, good) as store:
        try:
            said = saver.save(handover(), 3 * MIB, PhysicalMemory(memory), store, (), ("6.1", "#1"), nothing, Stop())
        except (OSError, KhibError):
            said = None
    with Store(target) as store:
        found = headers.read(store)
    if said is None:
        assert found is None or found.state in (State.PARTIAL, State.ABANDONED)
    else:
        assert found == said
        restore(target, memory_copy(tmp_path))


class Recording(Store):
    """A medium that notes writes and flushes, to build every state a power cut can leave."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        self.log: list[tuple[int, bytes] | None] = []

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        super().write_buffer(offset, buffer, count)
        self.log.append((offset, bytes(buffer.view[:count])))

    def flush(self) -> None:
        super().flush()
        self.log.append(None)


def test_a_power_cut_at_any_point_leaves_no_image_that_is_complete_but_wrong(
    memory: Path, target: Path, tmp_path: Path
) -> None:
    with Recording(target) as store:
        saver.save(handover(), 3 * MIB, PhysicalMemory(memory), store, (), ("6.1", "#1"), nothing, Stop())
    sound, noise, states = target.read_bytes(), random.Random(5), set()
    durable = bytearray(len(sound))
    waiting: list[tuple[int, bytes]] = []
    for entry in store.log:
        if entry is not None:
            waiting.append(entry)
        for _ in range(3):
            cut = bytearray(durable)
            for offset, data in waiting:
                if noise.random() < 0.5:
                    torn = noise.choice([len(data), len(data), 512 * noise.randrange(len(data) // 512 + 1)])
                    cut[offset : offset + torn] = data[:torn]
            path = tmp_path / "cut"
            path.write_bytes(cut)
            with Store(path) as after:
                found = headers.read(after)
            states.add(found.state if found else None)
            if found and found.state is State.COMPLETE:
                with Store(path, writable=True) as after:
                    headers.mend(after)
                restore(path, memory_copy(tmp_path))
        if entry is None:
            for offset, data in waiting:
                durable[offset : offset + len(data)] = data
            waiting.clear()
    assert {None, State.PARTIAL, State.COMPLETE} <= states


def content_of(*spans: tuple[int, int]) -> scan.Content:
    content = scan.Content()
    for first, last in spans:
        content.add(first * PAGE, last * PAGE)
    return content


def test_runs_cover_exactly_what_is_not_left_out() -> None:
    saved = Ranges.of([(0, 64 * PAGE), (80 * PAGE, 90 * PAGE)])
    absent = Ranges.of([(10 * PAGE, 12 * PAGE), (62 * PAGE, 64 * PAGE), (80 * PAGE, 81 * PAGE)])
    made = scan.runs(saved, absent, content_of((2, 4), (6, 10), (40, 41)))
    assert Ranges.of((run.start, run.start + run.memsz) for run in made) == saved - absent
    assert [(run.start // PAGE, run.filesz // PAGE) for run in made if run.filesz] == [(2, 2), (6, 4), (40, 1)]


def test_too_many_runs_are_made_fewer_by_filling_the_shortest_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_RUNS", 2)
    monkeypatch.setattr(scan, "MAX_LEFT_OUT", 1)
    saved = Ranges.of([(0, 30 * PAGE), (31 * PAGE, 100 * PAGE)])
    absent = Ranges.of([(3 * PAGE, 4 * PAGE), (50 * PAGE, 52 * PAGE), (60 * PAGE, 90 * PAGE)])
    made = scan.runs(saved, absent, content_of((1, 3), (5, 30), (31, 32), (45, 50)))
    assert sum(run.filesz for run in made) == (29 + 1 + 5) * PAGE, "the hole in what is saved is not filled"
    assert Ranges.of((run.start, run.start + run.memsz) for run in made) == saved - Ranges.of([(60 * PAGE, 90 * PAGE)])


def test_many_segments_use_extended_numbering() -> None:
    made = [vmcore.MemoryRun(number * 2 * PAGE, 0, PAGE) for number in range(70000)]
    placed = vmcore.place(made, 0)
    head = vmcore.header(placed, b"", 0)
    assert vmcore.headers_end(head) <= len(head)
    assert [item.run for item in vmcore.parse(head)] == made


@pytest.mark.parametrize(
    "bad", [vmcore.MemoryRun(1, 0, PAGE), vmcore.MemoryRun(0, 2 * PAGE, PAGE), vmcore.MemoryRun(0, 0, PAGE + 1)]
)
def test_impossible_segments_are_refused(bad: vmcore.MemoryRun) -> None:
    head = vmcore.header([vmcore.Placed(bad, 2 * PAGE)], b"", 0)
    with pytest.raises(ImageError):
        vmcore.parse(head)


class Flipped(Store):
    """A medium in memory, to read from."""

    def __init__(self, data: bytearray) -> None:
        self.data, self.path = data, Path("memory")

    def view(self, offset: int, count: int) -> memoryview:
        if offset + count > len(self.data):
            raise ImageError("cut off", ident="HIB-E-TRUNCATED")
        return memoryview(bytes(self.data[offset : offset + count]))


SEAL, KEY = Seal(Cipher.AES, ()), bytes(32)


@pytest.mark.parametrize(("codec", "step"), [("lz4", 1), ("zstd", 1), ("none", 17), ("sealed", 1)])
def test_every_single_flipped_bit_behind_the_headers_is_refused(tmp_path: Path, codec: str, step: int) -> None:
    memory, target = tmp_path / "tiny", tmp_path / "tiny-target"
    target.touch()
    memory.write_bytes(b"khib %06d " % 1 * 341 + bytes(4) + bytes(PAGE) + b"memory")
    os.truncate(memory, 4 * PAGE)
    spans = ((0, 4 * PAGE),)
    given = handover(CodecChoice("lz4" if codec == "sealed" else codec), ram=spans, saved=spans, region=())
    sealer = None
    if codec == "sealed":
        given = msgspec.structs.replace(given, seal=SEAL, key=KEY.hex())
        sealer = Sealer(KEY, Cipher.AES, given.image_id)
    header = save(memory, target, given)
    store = Flipped(bytearray(target.read_bytes()))

    def verified() -> None:
        verify.verify(store, restorer.examine(store, sealer)[0], nothing, Stop(), sealer)

    verified()
    for bit in range(headers.PAYLOAD_OFFSET * 8, -(-header.image_bytes // PAGE) * PAGE * 8, step):
        # of the long zeros that fill up a block, one bit a byte
        if step == 1 and bit % 8 and not any(store.data[bit // 8 : bit // 8 + 16]):
            continue
        store.data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError):
            verified()
        store.data[bit // 8] ^= 1 << bit % 8
    verified()
