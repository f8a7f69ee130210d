"""Set-up and removal, cut off by a power cut at any moment, on a computer that boots itself; and that nothing stays."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.events.types import Status, Step
from khib_tui.lab import bootdisk
from khib_tui.lab.cycle import Session
from tests.kit.lab_kit import options, print_event

pytestmark = [pytest.mark.lab, pytest.mark.long]

# removal takes the choices away, so they come from a file of answers
ANSWERS = "/opt/khib/answers.toml"
SETUP, REMOVE = ("setup", "--answers", ANSWERS), ("setup", "--remove")
SILENCE = 900
LONG = 40.0
VARIABLES = "for v in /sys/firmware/efi/efivars/*; do [ ! -f $v ] || sha256sum $v; done"
# A's own initramfs is made anew by the distribution's tool, which makes other bytes each time and keeps the last one on vfat;
# the others change at each start.
OWN = ("initrd.img", ".dpkg-bak", "/var/lib/initramfs-tools/", "random-seed", "LoaderTime", "MTC-")
LIST = f"""find /boot /etc /usr/lib/systemd /usr/lib/dracut /usr/local /var/lib -xdev \\( -type f -o -type l \\) | sort |
while read -r f; do [ -L "$f" ] && echo "L $f" || sha256sum "$f"; done
[ ! -d /boot/efi ] || find /boot/efi -type f | sort | xargs -r sha256sum
{VARIABLES}; true"""


@pytest.fixture(
    params=[("systemd-boot", "uefi", "virtio"), ("grub", "bios", "virtio"), ("efi", "uefi", "virtio")], ids="-".join
)
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    """A computer where khib was never set up."""
    loader, firmware, machine = request.param
    asked = options(boot="disk", loader=loader, firmware=firmware, machine=machine, memory=1024)
    made = Session(bootdisk.prepare(asked, tmp_path, print_event), print_event)
    made.boot_a()
    made.program("cp", made.settings, ANSWERS)
    yield made
    made.end()


def done(session: Session, words: tuple[str, ...]) -> None:
    """Run a command that must do well."""
    code, _ = session.run(*words, timeout=SILENCE)
    assert code == 0, session.reason()


def cut(session: Session, words: tuple[str, ...], number: int, after: float) -> None:
    """Pull the plug so many seconds after a step of a command has begun, or after its end; A starts again."""
    print(f"{' '.join(words)} is cut {after:.1f} s after the beginning of step {number}")
    session.command(*words)
    for event in session.until_exit(SILENCE):
        if isinstance(event, Step) and (event.number, event.status) == (number, Status.STARTED):
            break
    time.sleep(after)
    session.running.kill()
    session.boot_a()


def listed(session: Session) -> set[str]:
    """All that set-up could change: files by their digest, links, the firmware's variables."""
    session.program("sh", "-c", f"({LIST}) >/tmp/list", timeout=SILENCE)
    return {line for line in read_all(session, "/tmp/list") if not any(word in line for word in OWN)}


def read_all(session: Session, path: str) -> list[str]:
    """Read a file of any size."""
    lines = int(session.program("sh", "-c", f"wc -l <{path}"))
    parts = [session.program("sed", "-n", f"{at + 1},{at + 20}p", path) for at in range(0, lines, 20)]
    return "".join(parts).splitlines()


def test_removal_leaves_no_trace(session: Session) -> None:
    before = listed(session)
    assert len(before) > 100
    done(session, SETUP)
    assert listed(session) != before
    done(session, REMOVE)
    assert listed(session) == before


# Twenty moments on each computer, four a piece: as each step begins, and anywhere in the long ones.
@pytest.mark.parametrize("piece", range(5))
def test_cut_at_any_moment_the_machine_starts_and_repeating_ends_well(session: Session, piece: int) -> None:
    before, noise = listed(session), random.Random(piece)
    for words, long in ((SETUP, (2, 4)), (REMOVE, (3,))):
        cut(session, words, piece + 1, noise.uniform(0, 0.5))
        cut(session, words, noise.choice(long), noise.uniform(0, LONG))
        done(session, words)
    clean, text = session.power_off()
    assert clean, text
    session.boot_a()
    assert listed(session) == before
