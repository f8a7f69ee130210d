"""Memory restored from a vmcore: an export of an image, or what another tool wrote."""

from __future__ import annotations

import random
import struct
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from elftools.elf.elffile import ELFFile

from khib_tui.errors import ImageError, KhibError, Refused, UsageError
from khib_tui.facts import probe
from khib_tui.image.export.contents import PlainFile
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.machine import MemoryRange
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import vmcore as plainvmcore
from tests.kit.exported import DIRECT_MAP, Hibernated
from tests.kit.saved import RAM, REGION, SIZE


def restored(path: Path, to: Path, **words: int) -> bytes:
    """Restore a vmcore into a memory of 0xAA bytes."""
    to.write_bytes(b"\xaa" * SIZE)
    memory, file = PhysicalMemory(to, writable=True), PlainFile(path)
    try:
        plainvmcore.fill(plainvmcore.load(file, **words), memory, lambda count: None)
    finally:
        memory.close()
        file.close()
    return to.read_bytes()


def test_an_exported_vmcore_restores_what_the_image_would(slept: Hibernated, tmp_path: Path) -> None:
    after = restored(slept.image.with_name("elf"), tmp_path / "memory")
    for start, end in RAM - REGION:
        assert after[start:end] == slept.after[start:end]
    assert all(after[start:end] == b"\xaa" * (end - start) for start, end in REGION)


def test_no_flipped_bit_or_cut_of_a_vmcore_gets_through(slept: Hibernated, tmp_path: Path) -> None:
    sound = slept.image.with_name("elf").read_bytes()
    noise = random.Random(5)
    broken = tmp_path / "broken"
    places = [*range(0, 120, 7), 6000, len(sound) - 1, len(sound) - 200, *(noise.randrange(len(sound)) for _ in range(30))]
    for at in places:
        data = bytearray(sound)
        data[at] ^= 1 << noise.randrange(8)
        broken.write_bytes(data)
        with pytest.raises(KhibError):
            restored(broken, tmp_path / "memory")
    for length in [0, 1, 63, 64, PAGE, len(sound) // 2, len(sound) - 1]:
        broken.write_bytes(sound[:length])
        with pytest.raises(KhibError):
            restored(broken, tmp_path / "memory")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A vmcore as `cp /proc/vmcore` gives it: no note, a view of the kernel's code, a ragged end, a tail of zeros."""
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    for offset, virtual, start, filesz, memsz in (
        (PAGE, 0xFFFFFFFF81000000, MIB, PAGE, PAGE),
        (PAGE, DIRECT_MAP, MIB, 2 * PAGE, 3 * PAGE + 100),
        (4 * PAGE, DIRECT_MAP, 2 * MIB, PAGE, PAGE),
    ):
        head += struct.pack("<IIQQQQQQ", 1, 7, offset, virtual, start, filesz, memsz, PAGE)
    path = tmp_path / "foreign"
    path.write_bytes(head.ljust(PAGE, b"\0") + b"a" * PAGE + b"b" * PAGE + bytes(PAGE) + b"c" * PAGE)
    return path


def test_a_vmcore_of_another_tool_is_put_where_it_says(foreign: Path, tmp_path: Path) -> None:
    after = restored(foreign, tmp_path / "memory", entry=MIB + 8, gdt=1)
    assert after[MIB : MIB + 4 * PAGE] == b"a" * PAGE + b"b" * PAGE + bytes(PAGE) + b"\xaa" * PAGE
    assert after[2 * MIB : 2 * MIB + 2 * PAGE] == b"c" * PAGE + b"\xaa" * PAGE


def test_a_vmcore_that_does_not_say_its_entry_is_refused(foreign: Path, tmp_path: Path) -> None:
    for words in ({}, {"entry": 1}, {"gdt": 1}):
        with pytest.raises(Refused) as caught:
            restored(foreign, tmp_path / "memory", **words)
        assert caught.value.ident == "HIB-E-VMCORE-NOTE" and "--entry" in str(caught.value.hint)


def test_an_export_takes_no_other_entry(slept: Hibernated, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        restored(slept.image.with_name("elf"), tmp_path / "memory", entry=1, gdt=1)


@pytest.mark.parametrize(
    ("own", "ram", "ident"),
    [((MIB, 2 * MIB), (0, SIZE), "HIB-E-REGION-WORD"), ((8 * MIB, 9 * MIB), (0, 2 * MIB), "HIB-E-MEMMAP")],
)
def test_a_vmcore_of_another_tool_must_fit_the_machine(
    foreign: Path, own: tuple[int, int], ram: tuple[int, int], ident: str
) -> None:
    core = plainvmcore.load(PlainFile(foreign), MIB, 1)
    machine = msgspec.structs.replace(
        probe.probe(), iomem=(MemoryRange(*own, "System RAM"),), firmware_memmap=(MemoryRange(*ram, "System RAM"),)
    )
    with pytest.raises(Refused) as caught:
        plainvmcore.refuse_elsewhere(core, machine)
    assert caught.value.ident == ident


def test_the_header_of_a_vmcore_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        plainvmcore.load(PlainFile(Path(__file__)))
    assert ELFFile(BytesIO(Path("/bin/true").read_bytes()))["e_type"] != "ET_CORE"
    with pytest.raises(ImageError):
        plainvmcore.load(PlainFile(Path("/bin/true")))
