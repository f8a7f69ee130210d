"""The image in a swap that the system lends: pages that were swapped out are back, and so is the swap, whatever happens.

Twenty power cuts, a few at a time: `pytest -m long tests/lab/test_swap.py -k "cut and (0 or 1 or 2)"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from khib_tui.facts.signatures import SWAPSPACE
from khib_tui.image.header import State
from khib_tui.lab import setup
from khib_tui.lab.cycle import Session
from khib_tui.lab.guest.swap import FILE, LABEL, PRIORITY, Look
from khib_tui.lab.places import PlaceLab
from khib_tui.lab.prints import PACKAGES
from khib_tui.lab.swap import PROGRAM, Lender, OnDisk, on_disk, signed
from khib_tui.model.target import LENT_SWAP
from khib_tui.model.units import MIB
from khib_tui.target import swap
from tests.kit.lab_kit import options, print_event

pytestmark = pytest.mark.lab

MEMORY, HELD = 1024, 300
# MiB of the machine that is cut off, and of what it has swapped out.
LITTLE, FEW, ROOMY = 640, 64, 1408
CUTS = 20


def lender(directory: Path, memory: int = MEMORY) -> Lender:
    lab = setup.prepare(options(memory=memory), directory, print_event, image_mib=memory + 256, packages=PACKAGES)
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
    made = lender(tmp_path, ROOMY)
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


@dataclass
class Way:
    """A machine that is cut off again and again, and how long each half of the way takes it."""

    lender: Lender
    before: Look
    away: float = 0.0
    back: float = 0.0

    @property
    def lab(self) -> PlaceLab:
        assert isinstance(self.lender.session.lab, PlaceLab)
        return self.lender.session.lab

    def used(self) -> str:
        """Let a process swap out some pages; gives their digest."""
        assert self.lender.hold(FEW).used >= FEW * MIB // 2
        return self.lender.look(digest=True).digest

    def start_anew(self) -> None:
        """Start the system as if there were no image; its swap is on at once."""
        self.lender.session.boot_a()
        self.lender.session.program(*PROGRAM, "again", timeout=60)
        assert same(self.before, self.lender.look(digest=False))


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    made = lender(tmp_path_factory.mktemp("lab"), LITTLE)
    session = made.session
    try:
        session.boot_a()
        made.make("partition", "plain", "swap")
        yield Way(made, made.look(digest=False))
    finally:
        session.end()


def test_one_way_is_measured_and_who_signs_the_swap_meanwhile_loses_the_image(way: Way) -> None:
    session, digest = way.lender.session, way.used()
    session.ask("fill", percent=10, shadow=session.lab.shadow)
    session.ask("remember", deep=False)
    way.away = session.hibernate()
    there = on_disk(way.lab)
    assert there == OnDisk(LENT_SWAP, way.before.uuid, State.COMPLETE)
    with signed(way.lab, SWAPSPACE):
        failure = session.refused(session.lab.boot_c())
        assert failure.ident == "HIB-E-DISK-CHANGED" and swap.WHAT in failure.message, failure
    assert on_disk(way.lab) == there
    way.back, _ = session.resume()
    now = way.lender.look(digest=True)
    assert same(way.before, now) and now.digest == digest and session.ask("check", deep=False)["intact"]


def test_a_rehearsal_and_a_cancelled_hibernation_have_the_swap_back(way: Way) -> None:
    session = way.lender.session
    digest = way.lender.look(digest=True).digest
    assert session.run("rehearse", "--save")[0] == 0
    assert same(way.before, way.lender.look(digest=False))
    assert session.cancel() != 0
    now = way.lender.look(digest=True)
    assert same(way.before, now) and now.digest == digest


@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=pytest.mark.long if number > 1 else ()) for number in range(CUTS)]
)
def test_a_power_cut_leaves_a_swap_or_an_image_and_a_quick_start(way: Way, number: int) -> None:
    session = way.lender.session
    moment = (way.away + way.back) * ((number * 7 + 5) % CUTS + 0.5) / CUTS
    digest = way.used()
    if moment < way.away:
        way.lender.cut_hibernation(moment)
    else:
        session.hibernate()
        way.lender.cut_restore(session.lab.boot_c(), moment - way.away)
    there = on_disk(way.lab)
    print(f"cut {number} after {moment:.1f} of {way.away:.1f} and {way.back:.1f} s: {there}")
    assert there.uuid == way.before.uuid and there.fstype in ("swap", LENT_SWAP)
    assert there.fstype == LENT_SWAP or there.state is not State.COMPLETE
    resumed = there.state is State.COMPLETE and number % 2
    if resumed:
        session.resume()
        assert same(way.before, way.lender.look(digest=False)) and way.lender.look(digest=True).digest == digest
        session.running.kill()
    way.start_anew()
    if there.state is State.COMPLETE and not resumed:
        session.running.kill()
        session.refused(session.lab.boot_c())
        way.start_anew()
