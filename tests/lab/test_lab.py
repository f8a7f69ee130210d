"""The real thing: real kernels in the QEMU machine, jumps, power-offs, cold boots, and everything that must be refused.

One machine lives through all of it, in the order of a user's life: refusals, rehearsals, a cancelled hibernation, two real
ones, and in between every image that must not be resumed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from khib_tui import runner
from khib_tui.events.types import Event, Failure, LabResult, Progress, Result, StageName
from khib_tui.image import header as headers
from khib_tui.lab import demo, disks
from khib_tui.lab.board import HOTPLUG, Board
from khib_tui.lab.cycle import Session
from khib_tui.lab.hardware import Hardware
from khib_tui.lab.setup import SMALL, SPARE, SWAP, Lab
from khib_tui.model.units import MIB
from tests.kit.lab_kit import MEMORY, header_on, linux_source, options, print_event, started, state_on

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A's one uptime, shared by the tests of this module in their order."""
    directory = tmp_path_factory.mktemp("lab")
    with started(directory, fill=85) as made:
        yield made


def intact(session: Session) -> None:
    answer = session.ask("check", deep=False)
    assert answer["intact"], answer


def refusal(session: Session, *words: str) -> Failure:
    """Run a command in A that must refuse, and see that A has no jump loaded afterwards."""
    code, events = session.run(*words)
    failures = [event for event in events if isinstance(event, Failure)]
    assert code == 4 and len(failures) == 1, (code, events)
    assert failures[0].hint, "a refusal names the next step"
    assert session.read("/sys/kernel/kexec_loaded").strip() == "0"
    return failures[0]


def test_the_machine_passes_its_checks(session: Session) -> None:
    code, events = session.run("check")
    assert code == 0
    assert isinstance(events[-1], Result) and events[-1].ok


def test_the_kernel_finds_its_modules_in_the_root(session: Session) -> None:
    session.program("modprobe", "--all", "xfs", "btrfs", "f2fs", "dm-crypt", "raid1", "i6300esb")
    session.program("modprobe", "--all", "--remove", "xfs", "btrfs", "f2fs", "dm-crypt", "raid1", "i6300esb")


@pytest.mark.parametrize(
    ("words", "ident"),
    [
        (("--target", "/dev/vda2"), "HIB-E-TARGET-MOUNTED"),
        (("--target", SPARE), "HIB-E-TARGET-FOREIGN"),
        (("--target", SMALL), "HIB-E-TARGET-SMALL"),
        (("--target", "/dev/vdz9"), "HIB-E-TARGET-MISSING"),
        (("--region", "600M"), "HIB-E-REGION-HALF"),
        (("--kernel", "/boot/vmlinuz-none"), "HIB-E-BZIMAGE"),
    ],
)
def test_hibernate_refuses_and_says_why(session: Session, words: tuple[str, ...], ident: str) -> None:
    assert refusal(session, "hibernate", *words).ident == ident


def test_active_swap_is_never_a_target(session: Session) -> None:
    session.program("swapon", SWAP)
    assert refusal(session, "hibernate", "--target", SWAP).ident == "HIB-E-TARGET-SWAP"
    session.program("swapoff", SWAP)


def test_too_little_free_memory_is_refused(session: Session) -> None:
    failure = refusal(session, "hibernate", "--region", "300M")
    assert failure.ident == "HIB-E-MEMORY"
    assert "MiB" in failure.message


def test_a_dry_run_shows_every_step_and_does_none(session: Session) -> None:
    code, events = session.run("hibernate", "--dry-run")
    assert code == 0
    assert [event for event in events if getattr(event, "status", "") == "planned"]
    assert not session.exists("/boot/loader/entries/khib-restore.conf")


def test_a_rehearsal_comes_straight_back(session: Session) -> None:
    code, events = session.run("rehearse")
    assert code == 0 and isinstance(events[-1], Result) and events[-1].data["outcome"] == "rehearsed"
    intact(session)


def test_a_rehearsal_that_saves_verifies_and_leaves_no_image_to_resume(session: Session) -> None:
    code, events = session.run("rehearse", "--save")
    assert code == 0 and isinstance(events[-1], Result) and events[-1].data["image_bytes"] > 100 * MIB
    assert any(isinstance(event, Progress) and event.stage == StageName.VERIFY for event in session.running.seen)
    intact(session)
    assert state_on(session.lab.disk_target) is headers.State.ABANDONED


def test_escape_while_saving_brings_the_running_system_back(session: Session) -> None:
    assert session.cancel() == 3
    assert "cancelled" in session.reason()
    intact(session)
    assert state_on(session.lab.disk_target) is headers.State.ABANDONED


def test_hibernate_then_everything_that_must_not_be_resumed_then_resume(session: Session, tmp_path: Path) -> None:
    session.hibernate()
    lab = session.lab
    assert state_on(lab.disk_target) is headers.State.COMPLETE
    for name, ident in REFUSALS.items():
        with changed(lab, tmp_path, name) as (other, words):
            failure = Session(other, print_event).refused(other.boot_c(words))
        assert failure.ident in ident, (name, failure)
        assert failure.hint, name
    assert state_on(lab.disk_target) is headers.State.COMPLETE
    flip(lab.disk_target, headers.SLOTS[1] + 60)
    _, result = session.resume(repair="khib restore --repair")
    failures = [event.ident for event in session.running.seen if isinstance(event, Failure)]
    assert failures == [headers.DAMAGED]
    assert result.data["outcome"] == "resumed" and result.data["restore_seconds"] > 0
    intact(session)
    assert session.disks_identical


REFUSALS = {
    "more memory": {"HIB-E-MEMMAP"},
    "less memory": {"HIB-E-MEMMAP"},
    "room for memory modules": {"HIB-E-ACPI"},
    "no region words": {"HIB-E-REGION-WORD"},
    "a flipped bit": {"HIB-E-DAMAGED"},
    "a flipped bit of a header": {headers.DAMAGED},
    "the end cut off": {"HIB-E-MANIFEST", "HIB-E-INDEX", "HIB-E-DAMAGED"},
    "two images": {"HIB-E-TWO-IMAGES"},
    "a changed disk": {"HIB-E-DISK-CHANGED"},
    "a missing disk": {"HIB-E-DISK-MISSING"},
}


class changed:
    """The machine with one thing wrong, made of copies."""

    def __init__(self, lab: Lab, directory: Path, name: str) -> None:
        self.lab, self.directory, self.name = lab, directory, name

    def __enter__(self) -> tuple[Lab, dict[str, str]]:
        a = disks.copy(self.lab.disk_a, self.directory / "a.raw")
        target = disks.copy(self.lab.disk_target, self.directory / "target.raw")
        machine = replace(self.lab.hardware, disks=(a, target, *self.lab.hardware.disks[2:]), directory=self.directory)
        words: dict[str, str] = {}
        match self.name:
            case "more memory":
                machine = replace(machine, memory=MEMORY + 256)
            case "less memory":
                machine = replace(machine, memory=MEMORY - 128)
            case "room for memory modules":
                machine = replace(machine, board=Board(hotplug=HOTPLUG))
            case "no region words":
                words = {"memmap=": "khib.nothing=", "khib.ui=": "khib.moved khib.ui="}
            case "a flipped bit":
                flip(target, used(target) // 2)
            case "a flipped bit of a header":
                flip(target, 20)
            case "the end cut off":
                wipe(target, used(target) - 256 * 1024)
            case "two images":
                machine = with_second(machine, target)
            case "a changed disk":
                runner.run(["debugfs", "-w", "-R", "ssv mtime 12345", f"{a}?offset={disks.partitions(a)[1].start}"])
            case "a missing disk":
                machine = replace(machine, disks=machine.disks[:2])
        return Lab(machine, self.lab.kernel, self.directory), words

    def __exit__(self, *_: object) -> None:
        for path in self.directory.iterdir():
            if path.suffix == ".raw":
                path.unlink()


def with_second(machine: Hardware, target: Path) -> Hardware:
    second = disks.copy(target, target.with_name("second.raw"))
    runner.run(["sfdisk", "--quiet", "--disk-id", second, "0FC63DAF-8483-4772-8E79-3D69D8477DE4"])
    return replace(machine, disks=(*machine.disks, second))


def used(disk: Path) -> int:
    """Bytes of the image on the first partition."""
    return header_on(disk).image_bytes


def flip(disk: Path, at: int) -> None:
    start = disks.partitions(disk)[0].start
    with disk.open("r+b") as stream:
        stream.seek(start + at)
        byte = stream.read(1)[0]
        stream.seek(start + at)
        stream.write(bytes([byte ^ 0x10]))


def wipe(disk: Path, start: int) -> None:
    at = disks.partitions(disk)[0].start + start
    with disk.open("r+b") as stream:
        stream.seek(at)
        stream.write(bytes(used(disk) - start))


def test_an_image_is_used_only_once(session: Session) -> None:
    assert state_on(session.lab.disk_target) is headers.State.DONE
    directory = session.lab.directory / "again"
    directory.mkdir()
    copies = tuple(disks.copy(disk, directory / disk.name) for disk in session.lab.hardware.disks)
    machine = replace(session.lab.hardware, disks=copies, directory=directory)
    other = Lab(machine, session.lab.kernel, directory)
    assert Session(other, print_event).refused(other.boot_c()).ident == "HIB-E-IMAGE-DONE"
    shutil.rmtree(directory)


def test_an_image_in_a_file_on_a_filesystem_that_a_has_not_mounted(session: Session) -> None:
    session.target_partition = 1
    session.hibernate("--target", f"{SPARE}:/hibernate.khib")
    _, result = session.resume()
    assert result.data["outcome"] == "resumed" and session.disks_identical
    intact(session)


def test_the_system_is_sound_at_the_end(session: Session) -> None:
    clean, text = session.power_off()
    assert clean, text


@pytest.mark.parametrize("firmware", ["uefi"])
def test_a_full_machine_comes_back_on_uefi(tmp_path: Path, firmware: str) -> None:
    events: list[Event] = []
    code = demo.play(options(firmware=firmware, memory=1024, fill=95, deep=True), tmp_path, events.append)
    result = events[-1]
    assert code == 0 and isinstance(result, LabResult), events[-5:]
    assert result.resumed and result.memory_intact and result.disks_identical and result.fsck_clean


def test_memory_above_4_gib_and_one_processor(tmp_path: Path) -> None:
    events: list[Event] = []
    code = demo.play(options(memory=5120, cpus=1, fill=10), tmp_path, events.append)
    assert code == 0 and isinstance(events[-1], LabResult) and events[-1].memory_intact


def test_a_newer_kernel_after_a_rehearsal(tmp_path: Path) -> None:
    events: list[Event] = []
    given = options(linux_source=linux_source("7.2"), memory=1024, rehearse=True, codec="zstd", cpus=2)
    code = demo.play(given, tmp_path, events.append)
    assert code == 0 and isinstance(events[-1], LabResult) and events[-1].memory_intact


@pytest.mark.parametrize(("codec", "sealed"), [("none", True), ("zstd", True), ("lz4", False)])
def test_the_cycle_holds_with_each_codec_sealed_and_not(tmp_path: Path, codec: str, sealed: bool) -> None:
    events: list[Event] = []
    code = demo.play(options(codec=codec, sealed=sealed, fill=40), tmp_path, events.append)
    result = events[-1]
    assert code == 0 and isinstance(result, LabResult), events[-5:]
    assert result.resumed and result.memory_intact and result.disks_identical and result.sealed is sealed
