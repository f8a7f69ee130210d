"""Exports of an image: opened by the tools they are for, and restored like the image itself."""

from __future__ import annotations

import json
import random
import shutil
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from elftools.elf.elffile import ELFFile

from khib_tui import runner
from khib_tui.cli import main
from khib_tui.errors import CommandFailed, Exit, ImageError, KhibError, Refused, UsageError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event
from khib_tui.facts import probe
from khib_tui.formats import vmcore
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image.export import kdump, write
from khib_tui.image.export.contents import Contents, PlainFile, of_payload
from khib_tui.image.export.elf import Elf, runs
from khib_tui.image.export.snapshot import Snapshot, batches, snapshot
from khib_tui.image.reader import Payload
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.machine import BlockDevice, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter.kimage import shadows
from khib_tui.restorer import vmcore as plainvmcore
from khib_tui.restorer import vmcore_run
from khib_tui.seal import crypto
from tests.kit.exported import DIRECT_MAP, ENTRY, OWN, RAM, REGION, SIZE, Hibernated, hibernate, note_segments


@pytest.fixture(scope="module")
def slept(tmp_path_factory: pytest.TempPathFactory) -> Hibernated:
    """A machine that was hibernated, and its image exported both ways, as `elf` and `kdump` beside the image."""
    made = hibernate(tmp_path_factory.mktemp("export"))
    elf, dump = made.image.with_name("elf"), made.image.with_name("kdump")
    assert main(["image", "export", "--json", "--elf", str(elf), "--kdump", str(dump), str(made.image)]) == Exit.OK
    return made


def nothing(event: Event) -> None:
    """Take an event."""


def memory_of(elf: ELFFile) -> dict[int, bytes]:
    loads = [(load["p_paddr"], load.data()) for load in elf.iter_segments("PT_LOAD")]
    return {start + at: data[at : at + PAGE] for start, data in loads for at in range(0, len(data), PAGE)}


def expected(slept: Hibernated) -> dict[int, bytes]:
    return {at: bytes(slept.before[at : at + PAGE]) for start, end in slept.known for at in range(start, end, PAGE)}


def test_the_elf_holds_the_memory_as_its_kernel_saw_it_and_nothing_else(slept: Hibernated) -> None:
    with slept.image.with_name("elf").open("rb") as stream:
        elf = ELFFile(stream)
        assert memory_of(elf) == expected(slept)
        loads = list(elf.iter_segments("PT_LOAD"))
    assert all(load["p_filesz"] == load["p_memsz"] and load["p_offset"] % PAGE == 0 < load["p_offset"] for load in loads)
    assert all(load["p_vaddr"] - load["p_paddr"] == DIRECT_MAP for load in loads)


def test_zeros_take_no_room_in_the_elf(slept: Hibernated) -> None:
    status = slept.image.with_name("elf").stat()
    assert status.st_blocks * 512 < status.st_size - 3 * MIB


@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_drgn_reads_every_page_and_finds_the_others_missing(slept: Hibernated, kind: str) -> None:
    drgn = pytest.importorskip("drgn")
    program = drgn.Program()
    program.set_core_dump(str(slept.image.with_name(kind)))
    assert program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL
    for address, page in expected(slept).items():
        assert program.read(address, PAGE, physical=True) == page, hex(address)
        assert program.read(DIRECT_MAP + address, 8) == page[:8]
    for address in [OWN, *(at for start, end in slept.sources for at in range(start, end, PAGE))]:
        with pytest.raises(drgn.FaultError):
            program.read(address, PAGE, physical=True)


@pytest.mark.skipif(not shutil.which("makedumpfile"), reason="makedumpfile is not installed")
@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_makedumpfile_reads_every_page(slept: Hibernated, kind: str, tmp_path: Path) -> None:
    drgn = pytest.importorskip("drgn")
    runner.run(["makedumpfile", "-d", "1", slept.image.with_name(kind), tmp_path / "out"])
    program = drgn.Program()
    program.set_core_dump(str(tmp_path / "out"))
    for address, page in expected(slept).items():
        assert program.read(address, PAGE, physical=True) == page, hex(address)


def test_the_manifest_travels_in_a_note(slept: Hibernated) -> None:
    with slept.image.with_name("elf").open("rb") as stream:
        notes = [note for part in note_segments(ELFFile(stream)) for note in part.iter_notes()]
    assert [note["n_name"] for note in notes] == ["CORE", "CORE", "VMCOREINFO", "KHIB"]
    assert json.loads(notes[-1]["n_descdata"])["way_back"]["entry"] == ENTRY


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


def payload(store: Store) -> Payload:
    header = headers.read(store)
    assert header
    manifest = manifests.read(store, header)
    return Payload(store, manifest, manifests.read_index(store, manifest))


def test_contents_read_content_and_zeros_across_runs(slept: Hibernated) -> None:
    with Store(slept.image) as store:
        contents = of_payload(payload(store))
        for start, end in RAM - REGION:
            for at in range(start, end - 5000, 70001):
                assert contents.read(at, 5000) == slept.after[at : at + 5000]
        assert contents.present == RAM - REGION
        assert contents.content.total < contents.present.total - 3 * MIB
        assert contents.read(REGION.spans[1][0], PAGE) == bytes(PAGE)
        moved = shadows(contents, ENTRY, REGION, RAM)
    assert moved.sources == slept.sources


def test_absent_memory_reads_as_zero(tmp_path: Path) -> None:
    placed = vmcore.place([vmcore.MemoryRun(PAGE, PAGE, 2 * PAGE), vmcore.MemoryRun(5 * PAGE, PAGE, PAGE)], 0)
    path = tmp_path / "vmcore"
    path.write_bytes(vmcore.header(placed, b"", 0) + b"x" * PAGE + b"y" * PAGE)
    contents = Contents(PlainFile(path), placed)
    assert contents.read(0, 7 * PAGE) == bytes(PAGE) + b"x" * PAGE + bytes(3 * PAGE) + b"y" * PAGE + bytes(PAGE)
    assert contents.read(PAGE + 5, 10) == b"x" * 10
    assert contents.present.spans == ((PAGE, 3 * PAGE), (5 * PAGE, 6 * PAGE))


def test_files_are_not_overwritten_unless_forced(slept: Hibernated, tmp_path: Path) -> None:
    for name in ("there", "there.part"):
        (tmp_path / name).write_text("mine")
        words = ["image", "export", "--elf", str(tmp_path / "there"), str(slept.image)]
        assert main(words) == Exit.USAGE
        assert (tmp_path / name).read_text() == "mine"
        assert main([*words, "--force"]) == Exit.OK
        assert (tmp_path / "there").read_bytes() == slept.image.with_name("elf").read_bytes()
        assert [path.name for path in tmp_path.iterdir()] == ["there"]
        (tmp_path / "there").unlink()
    assert main(["image", "export", str(slept.image)]) == Exit.USAGE
    assert main(["image", "export", "--elf", str(tmp_path / "x"), "--kdump", str(tmp_path / "x"), str(slept.image)]) == 2


def test_only_the_owner_can_read_an_export(slept: Hibernated) -> None:
    assert {slept.image.with_name(kind).stat().st_mode & 0o777 for kind in ("elf", "kdump")} == {0o600}


@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_a_damaged_image_leaves_no_half_file(slept: Hibernated, tmp_path: Path, kind: str) -> None:
    data = bytearray(slept.image.read_bytes())
    with Store(slept.image) as store:
        frame = payload(store).frames[-2]
    data[frame.offset + frame.stored // 2] ^= 1
    (tmp_path / "image").write_bytes(data)
    with Store(tmp_path / "image") as store, pytest.raises(ImageError, match="damaged"):
        write.export(payload(store), {kind: tmp_path / "out"}, nothing, Stop())
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_too_little_space_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        write.refuse_little_space(tmp_path / "out", 1 << 60)
    assert caught.value.ident == "HIB-E-SPACE"


@pytest.mark.parametrize("writer", [Elf, kdump.Kdump])
def test_the_space_that_is_asked_for_is_about_what_is_taken(
    slept: Hibernated, writer: Callable[[Snapshot], write.Writer]
) -> None:
    with Store(slept.image) as store:
        needed = writer(snapshot(of_payload(payload(store)), payload(store).manifest)).needed
    taken = slept.image.with_name("elf" if writer is Elf else "kdump").stat().st_blocks * 512
    assert 0.8 * taken < needed < 1.3 * taken


def test_bitmaps_have_the_lowest_page_first() -> None:
    noise = random.Random(1)
    for _ in range(200):
        spans = [(at, at + noise.randrange(40)) for at in (noise.randrange(200) for _ in range(4))]
        made = kdump.bitmap(Ranges.of((start * PAGE, end * PAGE) for start, end in spans), 32)
        pages = {page for start, end in spans for page in range(start, end)}
        assert made == sum(1 << page for page in pages if page < 256).to_bytes(32, "little")


def test_holes_are_closed_only_where_memory_is_known_and_the_shortest_first() -> None:
    present = Ranges.of((number * 4 * PAGE, (number * 4 + 2 + number % 2) * PAGE) for number in range(100))
    assert len(runs(present, present, limit=10)) == 100
    some = runs(present, Ranges.of([(0, 400 * PAGE)]), limit=60)
    assert len(some) == 51 and sum(run.filesz for run in some) > present.total
    assert len(runs(present, Ranges.of([(0, 400 * PAGE)]), limit=10)) == 1


def test_batches_have_one_size_and_lose_nothing() -> None:
    spans = [(0, 10), (20, 21), (30, 95)]
    made = list(batches(spans, 16))
    assert [sum(end - start for start, end in batch) for batch in made] == [16, 16, 16, 16, 12]
    assert Ranges.of(span for batch in made for span in batch) == Ranges.of(spans)


def test_the_image_that_was_exported_still_is_resumed_only_once(slept: Hibernated, tmp_path: Path) -> None:
    image = tmp_path / "image"
    shutil.copyfile(slept.image, image)
    device = BlockDevice(f"..{image}", 1, "partition", disk="sdx", fstype="khib")
    spare = BlockDevice("sdy1", 1, "partition", disk="sdy")
    disk = BlockDevice("sdx", 1, "disk")
    with Store(image, writable=True) as store:
        manifest = payload(store).manifest
        found = vmcore_run.original_of(manifest, [device, spare])
        assert found is not None and found.header.image_id == manifest.image_id
        assert vmcore_run.original_of(msgspec.structs.replace(manifest, image_id="x"), [device]) is None
        assert vmcore_run.others([device, disk, spare], None) == [spare]
        headers.advance(store, found.header, headers.State.DONE)
        with pytest.raises(ImageError, match="resumed before"):
            vmcore_run.original_of(manifest, [device, spare])


def test_verifying_an_image_tells_of_a_damaged_header(
    slept: Hibernated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "image"
    image.write_bytes(slept.image.read_bytes())
    assert main(["image", "verify", str(image)]) == Exit.OK
    with image.open("r+b") as stream:
        stream.seek(headers.SLOTS[1] + 20)
        stream.write(b"\xff\xff")
    assert main(["image", "verify", str(image)]) == Exit.NO_IMAGE
    assert headers.DAMAGED in capsys.readouterr().err


def test_a_sealed_image_is_exported_with_its_passphrase_only(
    slept: Hibernated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)
    made, _ = crypto.create("correct horse", crypto.Cipher.AES)
    key = crypto.image_key(crypto.unlock(made, "correct horse"), "ab" * 16).hex()
    sealed = hibernate(tmp_path, seal=made, key=key)
    word, out = tmp_path / "word", tmp_path / "elf"
    for text, code in (("wrong horses", Exit.REFUSED), ("correct horse", Exit.OK)):
        word.write_text(text)
        assert main(["image", "export", "--key-file", str(word), "--elf", str(out), str(sealed.image)]) == code
        assert out.exists() is (code == Exit.OK)
    with out.open("rb") as stream:
        assert memory_of(ELFFile(stream)) == expected(sealed)


def test_the_header_of_a_vmcore_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        plainvmcore.load(PlainFile(Path(__file__)))
    assert ELFFile(BytesIO(Path("/bin/true").read_bytes()))["e_type"] != "ET_CORE"
    with pytest.raises(ImageError):
        plainvmcore.load(PlainFile(Path("/bin/true")))


def tasks(dump: Path, types: Path) -> list[tuple[int, str]]:
    """List the processes and kernel threads in a dump with drgn: symbols from kallsyms, types from one object."""
    import drgn
    from drgn.helpers.linux.kallsyms import load_vmlinux_kallsyms
    from drgn.helpers.linux.list import list_for_each_entry

    program = drgn.Program()
    program.set_core_dump(str(dump))
    program.register_symbol_finder("kallsyms", load_vmlinux_kallsyms(program), enable_index=0)
    program.extra_module("types", create=True).try_file(str(types), force=True)
    first = drgn.Object(program, "struct task_struct", address=program.symbol("init_task").address)
    found = list_for_each_entry("struct task_struct", first.tasks.address_of_(), "tasks")
    return [(task.pid.value_(), task.comm.string_().decode()) for task in found]


@pytest.mark.lab
def test_a_hibernated_machine_is_debugged_and_restored_from_its_exports(tmp_path: Path) -> None:
    from argparse import Namespace

    from khib_tui.events.types import Failure, Result
    from khib_tui.lab import disks
    from khib_tui.lab.build.debuginfo import kernel_types
    from khib_tui.lab.cycle import Session
    from khib_tui.lab.setup import prepare

    given = Namespace(memory=768, cpus=2, firmware="bios", linux_source=None, codec=None)
    session = Session(prepare(given, tmp_path, print), print)
    try:
        session.boot_a()
        session.ask("fill", percent=20, shadow=256 * MIB)
        session.ask("remember", deep=False)
        script = "for task in /proc/[0-9]*; do echo ${task#/proc/} $(cat $task/comm); done"
        lines = session.program("sh", "-c", script).splitlines()
        # one that ended meanwhile has no name
        named = [line.split(None, 1) for line in lines if " " in line.strip()]
        processes = {(int(pid), name) for pid, name in named if not name.startswith("kworker")}
        session.hibernate()
        target = session.lab.hardware.disks[1]
        place = disks.partitions(target)[0]
        with target.open("r+b") as stream:
            stream.seek(place.start)
            (tmp_path / "image").write_bytes(stream.read(place.size))
        elf, dump = tmp_path / "elf", tmp_path / "kdump"
        assert main(["image", "export", "--elf", str(elf), "--kdump", str(dump), str(tmp_path / "image")]) == Exit.OK
        types = kernel_types(print)
        for path in (elf, dump):
            seen = dict(tasks(path, types))
            assert seen[1] and seen[2] == "kthreadd" and len(seen) > 20
            assert len(processes & set(seen.items())) > 15, (processes, seen)
            runner.run(["makedumpfile", "-d", "17", path, path.with_suffix(".filtered")])
        with target.open("r+b") as stream:
            stream.seek(place.start)
            stream.write(elf.read_bytes())
        session.boot(session.lab.boot_c())
        told: list[Event] = []
        for event in session.until_exit():
            if isinstance(event, Event):
                told.append(event)
            if isinstance(event, Failure) and event.ident == "HIB-E-NO-IMAGE":
                session.running.type(b"\nkhib restore --vmcore /dev/vdb1 --yes\n")
        results = [event for event in told if isinstance(event, Result)]
        assert results and results[-1].ok, told
        assert session.ask("check", deep=False)["intact"]
        clean, text = session.power_off()
        assert clean, text
    finally:
        session.end()
