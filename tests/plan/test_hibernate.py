"""The steps of a journey, one by one; the kernel is not asked."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed, KhibError, Refused
from khib_tui.events.types import Event, Level, Message
from khib_tui.facts import blockdev
from khib_tui.handover import handover as handovers
from khib_tui.handover.handover import Handover, Mode
from khib_tui.handover.report import COOKIE_SIZE, Outcome, Report, ReportPage
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.jump.gdt import KernelFacts
from khib_tui.linux.syscalls import KEXEC_PRESERVE_CONTEXT, REBOOT_KEXEC
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice, SignatureRule
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.plan import hibernate
from khib_tui.plan.close import CloseImage, close
from khib_tui.plan.execute import execute
from khib_tui.plan.hibernate import Jump, LoadSaver, Unload, WriteBack
from khib_tui.plan.install import saver_kernel
from khib_tui.plan.step import Context
from khib_tui.seal import crypto
from khib_tui.seal import unlock as sealing
from khib_tui.seal.keyslots import Cipher
from tests.formats.test_cpio import parse
from tests.kit.fakekernel import FakeKernel, Pagemap
from tests.kit.faketree import bzimage
from tests.kit.machines import BIOS
from tests.kit.saved import handover, nothing, save
from tests.kit.sealed import PASSPHRASE

GDT = 0xFFFFFE0000001000
MakeChoice = Callable[..., Choice]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    """The kernel, with a GDT and a page map."""
    monkeypatch.setattr("khib_tui.jump.gdt.read_facts", lambda: KernelFacts(GDT, "OSRELEASE=6.1\n", 0xFFFF888000000000))
    monkeypatch.setattr(hibernate, "ReportPage", report_page)
    monkeypatch.setattr(blockdev, "devices", lambda: BIOS.devices)
    return FakeKernel(monkeypatch)


def report_page(saved: Ranges, others: int) -> ReportPage:
    """A page for the report, in memory that is saved."""
    return ReportPage(saved, others, Pagemap(Path("pagemap"), [saved.spans[-1][0]]))  # type: ignore[arg-type]


def installed(choice: Choice) -> Choice:
    """Put kernel and initramfs of the saver where the set-up keeps them."""
    choice.settings.directory.mkdir(parents=True)
    saver_kernel(choice.settings).write_bytes(bzimage("6.1.0-test"))
    choice.settings.initramfs.write_bytes(b"initramfs" * 1000)
    return choice


def given(kernel: FakeKernel) -> Handover:
    """What B would find in its initramfs."""
    (archive,) = [data for data in kernel.loaded.values() if data.startswith(b"070701")]
    content = {name: data for name, _, data in parse(archive)}
    return msgspec.json.decode(content[handovers.PATH], type=Handover)


def test_b_is_loaded_into_the_region_with_all_it_must_know(kernel: FakeKernel, choice_of: MakeChoice, context: Context) -> None:
    choice = installed(choice_of(verify=True, plain=True, options="extra=1"))
    signed = msgspec.structs.replace(
        choice.machine, hardware_signature="0x00000001", cmdline="acpi_sleep=s4_hwsig", acpi_tables="aa"
    )
    choice = replace(choice, machine=signed)
    LoadSaver(choice, Mode.SAVE).apply(context)
    assert kernel.calls == ["unload", "sync", "kexec_load"] and kernel.flags & KEXEC_PRESERVE_CONTEXT
    assert Ranges.of(kernel.swapped) == choice.region.own
    assert any(data.startswith(b"initramfs" * 1000) for data in kernel.loaded.values())
    assert any(b"extra=1 khib.ui=plain\0" in data for data in kernel.loaded.values())
    told = given(kernel)
    disk = choice.machine.device("vdb1")
    assert disk and told.target == TargetRef(key_of(disk)) and told.verify and told.plain and told.mode is Mode.SAVE
    assert (told.region, told.saved, told.gdt) == (choice.region.own.spans, choice.region.saved.spans, GDT)
    assert context.page and told.report_page == context.page.physical and told.cookie == context.page.cookie.hex()
    assert (told.hardware_signature, told.signature_rule) == ("0x00000001", SignatureRule.REFUSE)
    assert told.acpi_tables == "aa"
    assert context.loaded and not context.changed and context.handover == told


def test_b_is_told_which_disks_are_in_use_at_that_moment(
    kernel: FakeKernel, choice_of: MakeChoice, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = BlockDevice("sdz", 1 << 20, "disk", fstype="vfat", serial="late", mounts=("/media/stick",))
    thin = BlockDevice("dm-9", 1 << 20, "dm", fstype="ext4", slaves=("vdb",), mounts=("/data",))
    monkeypatch.setattr(blockdev, "devices", lambda: (*BIOS.devices, stick, thin))
    said: list[Event] = []
    context.sink = said.append
    LoadSaver(installed(choice_of()), Mode.SAVE).apply(context)
    assert [(item.name, item.what) for item in given(kernel).used] == [
        ("vda1", "/"), ("vdb", "/data"), ("sdz", "/media/stick"),
    ]  # fmt: skip
    assert all(item.spots and item.spots[-1][1] <= item.key.size for item in given(kernel).used)
    warned = [item.text for item in said if isinstance(item, Message) and item.level is Level.WARNING]
    assert len(warned) == 1 and warned[0].startswith("/data: ")


def test_a_system_whose_disks_c_would_not_read_again_does_not_go(
    kernel: FakeKernel, choice_of: MakeChoice, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("khib_tui.prints.bounds.MOST_BYTES", PAGE)
    with pytest.raises(Refused) as caught:
        LoadSaver(installed(choice_of()), Mode.SAVE).apply(context)
    assert caught.value.ident == "HIB-E-SPOTS" and "kexec_load" not in kernel.calls


def test_a_rehearsal_without_an_image_names_no_target(kernel: FakeKernel, choice_of: MakeChoice, context: Context) -> None:
    choice = replace(installed(choice_of()), target=None)
    LoadSaver(choice, Mode.REHEARSE).apply(context)
    assert given(kernel).target is None and given(kernel).mode is Mode.REHEARSE


@pytest.mark.usefixtures("quick_seals")
def test_b_gets_the_key_of_its_image_and_a_forgets_the_seal(
    kernel: FakeKernel, choice_of: MakeChoice, context: Context
) -> None:
    seal, _ = crypto.create(PASSPHRASE, Cipher.AES)
    context.opened = opened = sealing.unlock(seal, PASSPHRASE)
    LoadSaver(installed(choice_of(sealed=True)), Mode.SAVE).apply(context)
    told = given(kernel)
    assert told.seal == seal and told.key == opened.image_key(told.image_id)
    assert context.opened is None and context.handover and context.handover.key == ""
    assert not [data for data in kernel.loaded.values() if opened.master in data or opened.master.hex().encode() in data]


def test_a_journey_that_is_to_be_sealed_never_goes_unsealed(
    kernel: FakeKernel, choice_of: MakeChoice, context: Context
) -> None:
    with pytest.raises(Refused) as caught:
        LoadSaver(installed(choice_of(sealed=True)), Mode.SAVE).apply(context)
    assert caught.value.ident == "HIB-E-PASSPHRASE" and kernel.calls == []


def test_what_the_kernel_refuses_is_not_taken_for_loaded(kernel: FakeKernel, choice_of: MakeChoice, context: Context) -> None:
    kernel.errors["kexec_load"] = errno.EPERM
    with pytest.raises(CommandFailed) as caught:
        LoadSaver(installed(choice_of()), Mode.SAVE).apply(context)
    assert caught.value.ident == "HIB-E-KEXEC-LOAD" and "not permitted" in str(caught.value) and not context.loaded


@pytest.mark.parametrize(("name", "ident"), [("vmlinuz", "HIB-E-BZIMAGE"), ("initramfs.img", "HIB-E-SAVER")])
def test_a_saver_that_is_not_there_is_told(
    kernel: FakeKernel, choice_of: MakeChoice, context: Context, name: str, ident: str
) -> None:
    choice = installed(choice_of())
    (choice.settings.directory / name).unlink()
    with pytest.raises(KhibError) as caught:
        LoadSaver(choice, Mode.SAVE).apply(context)
    assert caught.value.ident == ident and "kexec_load" not in kernel.calls


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two mounted filesystems, and one that is gone again."""
    found = [str(tmp_path / name) for name in ("a", "gone", "b")]
    monkeypatch.setattr(hibernate, "mounted_now", lambda: found)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return found


def test_every_filesystem_is_written_back(kernel: FakeKernel, places: list[str], context: Context) -> None:
    WriteBack().apply(context)
    assert kernel.calls[0] == "sync" and kernel.synced == ["/", places[0], places[2]]


def test_a_filesystem_that_cannot_be_written_back_stops_the_run(
    kernel: FakeKernel, places: list[str], context: Context
) -> None:
    kernel.errors[f"syncfs {places[0]}"] = errno.EIO
    with pytest.raises(CommandFailed) as caught:
        WriteBack().apply(context)
    assert caught.value.ident == "HIB-E-SYNC" and places[0] in str(caught.value) and kernel.synced[-1] == places[0]


REPORT = Report(Outcome.RESUMED, "back", image_bytes=7)


def leave(page: ReportPage, report: Report) -> None:
    """Leave a report in a page as B and C do."""
    body = msgspec.json.encode(report)
    start = page.offset + COOKIE_SIZE
    page.pool[start : start + 4 + len(body)] = struct.pack("<I", len(body)) + body


def test_after_the_jump_the_report_is_read(kernel: FakeKernel, choice_of: MakeChoice, context: Context) -> None:
    choice = choice_of()
    context.page = page = report_page(choice.region.saved, PAGE)
    kernel.jump = lambda: leave(page, REPORT)
    Jump(choice, Mode.SAVE).apply(context)
    assert (kernel.calls, kernel.command) == (["reboot"], REBOOT_KEXEC)
    assert context.report == REPORT and context.changed and 0 <= context.away_seconds < 5


@pytest.mark.parametrize(("before", "now", "warned"), [("0x1", "0x2", True), ("0x1", "0x1", False), ("", "0x2", False)])
def test_a_system_that_is_back_on_other_hardware_is_told(
    kernel: FakeKernel, choice_of: MakeChoice, context: Context, monkeypatch: pytest.MonkeyPatch, before: str, now: str,
    warned: bool,
) -> None:  # fmt: skip
    choice, said = choice_of(), list[Event]()
    context.page, context.sink = report_page(choice.region.saved, PAGE), said.append
    context.handover = handover(hardware_signature=before)
    monkeypatch.setattr(hibernate, "hardware_signature", lambda: now)
    Jump(choice, Mode.SAVE).apply(context)
    texts = [event.text for event in said if isinstance(event, Message) and event.level is Level.WARNING]
    assert texts == ["the firmware's hardware signature was 0x1 and is 0x2: devices may not work as before"] * warned


def test_a_jump_that_the_kernel_refuses_changed_nothing(kernel: FakeKernel, choice_of: MakeChoice, context: Context) -> None:
    kernel.errors["reboot"] = errno.EBUSY
    with pytest.raises(CommandFailed) as caught:
        Jump(choice_of(), Mode.SAVE).apply(context)
    assert caught.value.ident == "HIB-E-JUMP" and not context.changed and context.report is None


def test_what_was_loaded_is_unloaded(kernel: FakeKernel, context: Context) -> None:
    context.loaded = True
    Unload().apply(context)
    assert kernel.calls == ["unload"] and not context.loaded


def test_a_failed_run_gives_the_memory_of_the_saver_back_once(kernel: FakeKernel, context: Context) -> None:
    context.loaded = True
    context.undo()
    context.undo()
    assert kernel.calls == ["unload"] and not context.loaded


def resumed(choice: Choice, image: Path, context: Context) -> CloseImage:
    """A step that finds its image in a file."""
    device = BlockDevice(f"..{image}", image.stat().st_size, "partition", disk_id="id", serial="s")
    context.handover = handover(target=TargetRef(key_of(device)))
    return CloseImage(replace(choice, machine=msgspec.structs.replace(choice.machine, devices=(device,))))


def state(image: Path) -> State | None:
    """The state of the image in a file."""
    with Store(image) as store:
        found = headers.read(store)
    return found.state if found else None


@pytest.mark.parametrize(
    ("before", "image_id", "after"),
    [
        (State.CLAIMED, "ab" * 16, State.DONE),
        (State.CLAIMED, "cd" * 16, State.CLAIMED),
        (State.COMPLETE, "ab" * 16, State.ABANDONED),
        (State.COMPLETE, "cd" * 16, State.COMPLETE),
    ],
)
def test_our_own_image_is_marked_as_done_or_given_up_if_it_could_be_resumed(
    memory: Path, target: Path, choice_of: MakeChoice, context: Context, before: State, image_id: str, after: State
) -> None:
    header = save(memory, target, handover(image_id=image_id))
    if before is not State.COMPLETE:
        with Store(target, writable=True) as store:
            headers.advance(store, header, before)
    resumed(choice_of(), target, context).apply(context)
    assert state(target) is after


def test_an_image_whose_medium_is_gone_is_told(target: Path, choice_of: MakeChoice, context: Context) -> None:
    step = resumed(choice_of(), target, context)
    target.unlink()
    with pytest.raises(CommandFailed) as caught:
        step.apply(context)
    assert caught.value.ident == "HIB-E-DONE"


@pytest.mark.parametrize(
    ("states", "given_up", "left"),
    [
        ((State.CLAIMED, State.CLAIMED), False, State.DONE),
        ((State.COMPLETE, State.COMPLETE), True, State.ABANDONED),
        ((State.COMPLETE, State.PARTIAL), True, State.ABANDONED),
        ((State.ABANDONED, State.COMPLETE), True, State.ABANDONED),
        ((State.ABANDONED, State.ABANDONED), False, State.ABANDONED),
    ],
)
def test_a_system_that_runs_leaves_no_image_of_itself_to_resume(
    target: Path, states: tuple[State, State], given_up: bool, left: State
) -> None:
    with Store(target, writable=True) as store:
        for number, (offset, state) in enumerate(zip(headers.SLOTS, states, strict=True)):
            store.write(offset, headers.pack(headers.Header("aa", state, 9 - number)))
        assert close(store, "bb") is False
        assert close(store, "aa") is given_up
        assert {slot.state for slot in headers.read_slots(store) if slot} == {left}


class Step:
    """A step of a run."""

    def __init__(self, done: list[str], name: str, error: Exception | None = None) -> None:
        self.done, self.name, self.error = done, name, error

    def describe(self) -> str:
        return self.name

    def apply(self, context: Context) -> None:
        self.done.append(self.name)
        if self.name == "jump":
            context.closing = Step(self.done, "close")
        if self.error:
            raise self.error


@pytest.mark.parametrize("failing", ["jump", "read the report"])
def test_the_image_is_closed_whatever_fails_after_the_jump(failing: str) -> None:
    done: list[str] = []
    steps = [Step(done, name, ValueError("no") if name == failing else None) for name in ("jump", "read the report")]
    with pytest.raises(ValueError, match="no"):
        execute(steps, Context(nothing), nothing)
    assert done[-1] == "close"


def test_nobody_who_is_told_decides_anything() -> None:
    def broken(event: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    done: list[str] = []
    execute([Step(done, "write back"), Step(done, "unload")], Context(broken), broken)
    assert done == ["write back", "unload"]
