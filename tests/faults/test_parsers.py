"""Whatever others wrote: each parser takes it, or raises an error that has a name; and in bounded memory and time."""

from __future__ import annotations

import resource
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import ImageError, KhibError
from khib_tui.events import types
from khib_tui.formats import vmcore
from khib_tui.formats.vmcore import MemoryRun
from khib_tui.image import manifest as manifests
from khib_tui.image.export.contents import PlainFile, read_head
from khib_tui.image.export.elf import NOTE, NOTE_MANIFEST
from khib_tui.image.export.snapshot import notes_of
from khib_tui.linux.child import apart
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter.view import Doubt
from khib_tui.restorer import vmcore as restored
from tests.kit.foreign import Parser, exported_manifest, parsers
from tests.kit.mutate import mutants

NAMED = (KhibError, Doubt)
EACH, LONG = 300, 20_000
# What a process of the test may add to its memory: C has about this much to spare.
ROOM = 64 * MIB


def tried(parser: Parser, data: bytes, folder: Path) -> str:
    """Parse, and tell what came of it: fine, a named error whose text can be shown, or what must not be."""
    try:
        parser.read(data, folder)
    except NAMED as error:
        types.encode(types.Failure.of(error)).decode()
        return "named"
    except Exception as error:
        return f"{parser}: {type(error).__name__}: {error}: {data[:200]!r}"
    return "fine"


def refusals(parser: Parser, count: int, seed: int, folder: Path) -> dict[str, int]:
    """Count what came of changed copies."""
    results: dict[str, int] = {}
    for data in mutants(parser.sound, count, seed):
        result = tried(parser, data, folder)
        results[result] = results.get(result, 0) + 1
    return results


@pytest.mark.parametrize("parser", parsers(), ids=str)
def test_what_is_sound_is_read(parser: Parser, tmp_path: Path) -> None:
    assert tried(parser, parser.sound, tmp_path) == "fine"


@pytest.mark.parametrize("parser", parsers(), ids=str)
def test_each_parser_raises_only_named_errors(parser: Parser, tmp_path: Path) -> None:
    results = refusals(parser, EACH, 12, tmp_path)
    assert set(results) <= {"fine", "named"} and sum(results.values()) == EACH


@pytest.mark.long
@pytest.mark.parametrize("parser", parsers(), ids=str)
def test_each_parser_raises_only_named_errors_for_long(parser: Parser, tmp_path: Path) -> None:
    assert set(refusals(parser, LONG, 7, tmp_path)) <= {"fine", "named"}


def patched(at: int, value: int) -> bytes:
    """A vmcore of one page with one 64-bit word of its headers changed."""
    runs = [MemoryRun(PAGE, PAGE, PAGE)]
    data = bytearray(vmcore.header(vmcore.place(runs, 0), b"", 0) + bytes(PAGE))
    struct.pack_into("<Q", data, at, value)
    return bytes(data)


PHOFF, OFFSET, ADDRESS, MEMSZ = 32, 120 + 8, 120 + 24, 120 + 40


@pytest.mark.parametrize("value", [1 << 53, 1 << 62, 1 << 63, (1 << 64) - PAGE])
@pytest.mark.parametrize("at", [PHOFF, OFFSET, ADDRESS, MEMSZ])
def test_offsets_and_sizes_at_the_end_of_64_bits_are_refused(at: int, value: int, tmp_path: Path) -> None:
    path = tmp_path / "core"
    path.write_bytes(patched(at, value))
    with pytest.raises(ImageError):
        restored.load(PlainFile(path), 1, 1)


@pytest.mark.parametrize(
    "change", [{"frames": 1 << 63}, {"index_offset": -1}, {"cpu": {"count": 1 << 21}}, {"way_back": {"gdt": 1 << 64}}], ids=str
)
def test_a_manifest_that_says_what_no_machine_has_is_refused(change: dict[str, object]) -> None:
    told = msgspec.json.decode(exported_manifest())
    for name, value in change.items():
        told[name] = {**told[name], **value} if isinstance(value, dict) else value
    with pytest.raises(ImageError) as caught:
        manifests.parse(msgspec.json.encode(told))
    assert caught.value.ident == "HIB-E-MANIFEST"


def many_headers(path: Path) -> None:
    """Write a vmcore of four million program headers, as a file that takes no room."""
    count = 1 << 22
    head = vmcore._EHDR.pack(vmcore._IDENT, 4, 62, 1, 0, 64, 64 + count * 56, 0, 64, 56, 0xFFFF, 64, 1, 0)
    with path.open("wb") as stream:
        stream.write(head)
        stream.seek(64 + count * 56)
        stream.write(vmcore._SHDR.pack(0, 0, 0, 0, 0, 0, 0, count, 0, 0))


def many_notes(path: Path) -> None:
    """Write a vmcore with 32 MiB of notes, each of another kind."""
    told = b"".join(struct.pack("<III4s", 4, 0, kind, b"A") for kind in range(2 << 20))
    path.write_bytes(vmcore.header([], told, 0))


def far_end(path: Path) -> None:
    """Write an export of ours whose only run is said to end near 2^52, where its digests would be: 64 GiB of them."""
    told = vmcore.note(NOTE, exported_manifest(), NOTE_MANIFEST)
    size = (1 << 52) - PAGE
    path.write_bytes(vmcore.header(vmcore.place([MemoryRun(PAGE, size, size)], len(told)), told, 0))


@pytest.mark.parametrize("make", [many_headers, many_notes, far_end])
def test_a_vmcore_that_claims_much_is_refused_in_the_memory_that_c_has(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "core")

    def look() -> None:
        file = PlainFile(tmp_path / "core")
        with open("/proc/self/statm") as stream:
            now = int(stream.read().split()[0]) * PAGE
        resource.setrlimit(resource.RLIMIT_AS, (now + ROOM + 40 * MIB, resource.RLIM_INFINITY))
        with pytest.raises(ImageError):
            notes_of(file, read_head(file))
            restored.load(file)

    assert not apart(look)
