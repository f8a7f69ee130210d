"""The image in a swap that the system lends: pages that were swapped out are back, and so is the swap, whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.lab import setup
from khib_tui.lab.cycle import Session
from khib_tui.lab.guest.swap import FILE, LABEL, PRIORITY, Look
from khib_tui.lab.places import PlaceLab
from khib_tui.lab.prints import PACKAGES
from khib_tui.lab.swap import Lender
from khib_tui.model.units import MIB
from tests.kit.lab_kit import options, print_event

pytestmark = pytest.mark.lab

MEMORY, HELD = 1024, 300


def lender(directory: Path) -> Lender:
    lab = setup.prepare(options(memory=MEMORY), directory, print_event, image_mib=MEMORY + 256, packages=PACKAGES)
    return Lender(Session(PlaceLab(lab.hardware, lab.kernel, lab.directory), print_event))


def same(before: Look, now: Look) -> bool:
    """Whether it is the same swap, on as before."""
    kept = ("fstype", "label", "uuid", "size", "priority")
    return all(getattr(before, name) == getattr(now, name) for name in kept) and now.label == LABEL


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "stack", "spelled"),
    [("partition", "plain", "swap"), ("file", "plain", f"swap:{FILE}"), ("partition", "LUKS+LVM", "swap:LABEL=khibswap")],
)
def test_pages_that_were_swapped_out_are_back_twice_and_so_is_the_swap(
    tmp_path: Path, kind: str, stack: str, spelled: str
) -> None:
    made = lender(tmp_path)
    session = made.session
    try:
        session.boot_a()
        made.make(kind, stack, spelled)
        session.ask("fill", percent=10, shadow=session.lab.shadow)
        before = made.hold(HELD)
        assert before.used >= HELD * MIB * 9 // 10 and before.priority == int(PRIORITY), before
        digest = made.look(digest=True).digest
        for _ in range(2):
            assert made.out().used >= HELD * MIB * 9 // 10
            session.ask("remember", deep=False)
            session.hibernate(*made.words)
            session.resume()
            answer, now = session.ask("check", deep=False), made.look(digest=True)
            assert answer["intact"], answer
            assert same(before, now) and now.digest == digest, (before, now)
        assert session.disks_identical
    finally:
        session.end()
