"""A started normally while an image of it waits, on a computer that boots itself: by the entry of A, as a person chooses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.image import marks
from khib_tui.image.header import State
from khib_tui.lab import bootdisk, disks, spoil
from khib_tui.lab.bootdisk import DiskLab
from khib_tui.lab.cycle import Session
from khib_tui.lab.demo import set_up, started_normally
from khib_tui.lab.hardware import Boot
from khib_tui.lab.installed import IMAGE
from tests.kit.lab_kit import Console, options, print_event, state_on

pytestmark = [pytest.mark.lab, pytest.mark.long]

COMPUTERS = [
    ("grub", "bios", "virtio"),
    ("systemd-boot", "uefi", "laptop"),
    ("efi", "uefi", "desktop"),
    ("grub", "uefi", "virtio"),
]
QUESTION = b"waits to be resumed"
# A without its initramfs, and so without the guard in it
UNGUARDED = "console=ttyS0,115200 no_timer_check panic=5 root=/dev/vda3 rw init=/usr/sbin/khib-init khib.lab=demo"


class Computer:
    """One that boots itself: khib is set up on it, and its memory is filled."""

    def __init__(self, lab: DiskLab) -> None:
        self.lab, self.session = lab, Session(lab, print_event)
        self.session.boot_a()
        set_up(self.session)
        self.fill()

    def fill(self) -> None:
        self.session.ask("fill", percent=40, shadow=self.lab.shadow)
        self.session.ask("remember", deep=False)

    def sleep(self) -> None:
        """Hibernate; the next start will be A's."""
        self.session.hibernate()
        assert state_on(self.lab.disk_target, IMAGE) is State.COMPLETE
        spoil.choose_a(self.lab.disk_a, self.lab.kind)

    def asked(self, *keys: bytes) -> bytes:
        """Switch on, be asked, answer; gives what the console shows since then."""
        log = self.lab.directory / "console.log"
        console = Console(self.session)
        console.seen = log.stat().st_size
        self.session.boot(Boot())
        begin = console.seen
        console.wait(QUESTION)
        for key in keys:
            self.session.running.type(key)
            if key[:1] == b"g":
                console.wait(b"type yes")
        if b"yes\r" in keys:
            self.session.until_ready()
        else:
            self.session.running.wait()
            self.session.running.close()
        return log.read_bytes()[begin:]

    def wake(self) -> None:
        """Switch on, and C starts, for the guard has seen to it; A's disks are as they were when it went to sleep."""
        spoil.choose_again(self.lab.disk_a, self.lab.kind)
        self.session.note_disks()
        self.session.resume()
        assert self.session.ask("check", deep=False)["intact"]
        assert self.session.disks_identical


@pytest.fixture(params=COMPUTERS, ids="-".join)
def computer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Computer]:
    loader, firmware, machine = request.param
    asked = options(boot="disk", loader=loader, firmware=firmware, machine=machine, memory=1024)
    made = Computer(bootdisk.prepare(asked, tmp_path, print_event))
    yield made
    made.session.end()


def block(lab: DiskLab) -> bytes:
    """Return the marks of the image."""
    with lab.disk_target.open("rb") as stream:
        stream.seek(disks.partitions(lab.disk_target)[IMAGE].start + marks.OFFSET)
        return stream.read(4096)


def test_each_answer_does_what_it_says(computer: Computer) -> None:
    computer.sleep()
    assert b"restarting" not in computer.asked(b"p\r")
    assert b"restarting" in computer.asked()  # nothing is typed: the countdown ends
    computer.wake()
    computer.session.ask("remember", deep=False)
    computer.sleep()
    assert b"starting anew" in computer.asked(b"g\r", b"yes\r")
    assert marks.GIVEN_UP in block(computer.lab)
    assert not marks.resume_id(block(computer.lab))
    clean, text = computer.session.power_off()
    assert clean, text
    spoil.choose_again(computer.lab.disk_a, computer.lab.kind)
    assert not started_normally(computer.session)


def test_a_start_past_the_guard_is_noticed_by_the_prints(tmp_path: Path) -> None:
    asked = options(boot="disk", loader="grub", firmware="bios", machine="virtio", memory=1024)
    computer = Computer(bootdisk.prepare(asked, tmp_path, print_event))
    session, lab = computer.session, computer.lab
    try:
        session.hibernate()
        session.boot(Boot(lab.kernel.bzimage, UNGUARDED))
        session.until_ready()
        clean, text = session.power_off()
        assert clean, text
        assert session.refused(Boot()).ident == "HIB-E-DISK-CHANGED"
    finally:
        session.end()
