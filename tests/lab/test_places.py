"""The image in a file of A's own filesystem: what moves the file is found out, and nothing else is ever written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.errors import Exit
from khib_tui.events.types import Event, Result
from khib_tui.lab import places, setup
from khib_tui.lab.cycle import Session
from khib_tui.lab.guest.place import FILE
from khib_tui.lab.places import KINDS, PROGRAM, STACKS, PlaceLab, Row
from khib_tui.lab.prints import PACKAGES
from khib_tui.lab.setup import TARGET
from khib_tui.lab.table import told
from tests.kit.lab_kit import MEMORY, options, print_event

GOOD, BAD = Row("ext4", "plain", 4, 17.0, 12.0), Row("xfs", "LVM", wrong="C did not start")


def test_the_table_says_what_went_wrong() -> None:
    seen: list[Event] = []
    assert told([GOOD, BAD], [], "lab places", "places did well", seen.append) == Exit.ERROR
    assert "in 4 ranges" in str(seen[0]) and "NO: C did not start" in str(seen[1])
    assert isinstance(seen[2], Result) and seen[2].text.startswith("1 of 2 places")
    assert told([GOOD], [], "lab places", "places did well", seen.append) == Exit.OK


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_filesystem_takes_the_image_twice_and_stays_as_it_was(tmp_path: Path, kind: str, stack: str) -> None:
    row = places.row(options(cycles=2, fill=40), kind, stack, tmp_path, print_event)
    assert not row.wrong, row


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A machine with an XFS on LVM for the image: it can reflink, and its volume can be moved."""
    folder = tmp_path_factory.mktemp("lab")
    lab = setup.prepare(options(), folder, print_event, image_mib=MEMORY + 1024, packages=PACKAGES)
    made = Session(PlaceLab(lab.hardware, lab.kernel, lab.directory), print_event)
    made.boot_a()
    made.program(*PROGRAM, "make", "xfs", "LVM", TARGET, timeout=600)
    places.choose(made)
    assert made.run("setup", timeout=600)[0] == 0, made.reason()
    made.ask("fill", percent=40, shadow=lab.shadow)
    made.ask("remember", deep=False)
    yield made
    made.end()


# What is done to the file after the set-up, and what a rehearsal that saves says then; '' where it is put right by itself.
DEEDS = {
    "nothing": ("true", ""),
    "truncated": (f"chattr -i {FILE}; truncate -s 1M {FILE}", "HIB-E-TARGET-SMALL"),
    "deleted": (f"chattr -i {FILE}; rm {FILE}", "HIB-E-TARGET-MISSING"),
    "replaced by a copy": (f"chattr -i {FILE}; cp --sparse=never --reflink=never {FILE} {FILE}2; mv {FILE}2 {FILE}", ""),
    "reflinked": (f"cp --reflink=always {FILE} {FILE}2", ""),
    "written and reflinked": (
        f"chattr -i {FILE}; dd if=/dev/zero of={FILE} bs=1M count=4 conv=notrunc,fsync; cp --reflink=always {FILE} {FILE}2",
        "HIB-E-TARGET-MOVED",
    ),
    "punched": (f"chattr -i {FILE}; fallocate -p -o 8M -l 1M {FILE}", "HIB-E-TARGET-MOVED"),
    "a folder in its place": (f"chattr -i {FILE}; rm {FILE}; mkdir {FILE}", "HIB-E-TARGET-FILE"),
}


@pytest.mark.lab
@pytest.mark.parametrize("deed", DEEDS)
def test_what_happens_to_the_file_is_put_right_or_refused(session: Session, deed: str) -> None:
    command, ident = DEEDS[deed]
    session.program("sh", "-c", f"chattr -i {FILE} 2>/dev/null; rm -rf {FILE} {FILE}2; true")
    assert session.run("setup", timeout=600)[0] == 0, session.reason()
    session.program("sh", "-c", command, timeout=300)
    code, events = session.run("rehearse", "--save")
    idents = [getattr(event, "ident", "") for event in events if type(event).__name__ == "Failure"]
    assert idents == ([ident] if ident else []), (code, idents, session.reason())
    assert session.ask("check", deep=False)["intact"]


@pytest.mark.lab
def test_the_filesystem_and_all_files_are_as_they_were(session: Session) -> None:
    session.program("sh", "-c", f"chattr -i {FILE} 2>/dev/null; rm -rf {FILE} {FILE}2; true")
    assert session.run("setup", timeout=600)[0] == 0
    assert session.program(*PROGRAM, "check", timeout=600).strip() == ""
