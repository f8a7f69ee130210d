"""The wizard itself, typed into over the serial line, on a computer that boots itself: set up, rehearsed, hibernated, back.

`KHIB_TRANSCRIPT=write` writes what was seen to docs/first-time.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui.lab import bootdisk
from khib_tui.lab.cycle import Session
from tests.kit import ROOT
from tests.kit.lab_kit import options, print_event
from tests.kit.typist import COLUMNS, ROWS, Typist

pytestmark = [pytest.mark.lab, pytest.mark.long]

COMMAND = (
    f"stty -F /dev/ttyS0 rows {ROWS} cols {COLUMNS} sane; export TERM=vt100; "
    f"exec setsid -w -c khib </dev/ttyS0 >/dev/ttyS0 2>&1"
)
TRANSCRIPT = ROOT / "docs/first-time.md"
HEAD = """# The first time

What a person sees who types `khib` on a new machine, as the test `tests/lab/test_wizard.py` saw it on the console of the
lab's machine (a Debian with one ext4 root that boots by GRUB; a serial line, so one colour and ASCII). Only Enter, Esc,
Tab and arrow keys were pressed.
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A computer that boots itself, on which nothing is set up."""
    given = options(boot="disk", loader="grub", machine="virtio", place="file", memory=1024)
    made = Session(bootdisk.prepare(given, tmp_path, print_event), print_event)
    made.boot_a()
    return made


def test_the_first_time_from_welcome_to_welcome_back(session: Session) -> None:
    try:
        session.ask("fill", percent=40, shadow=session.lab.shadow)
        session.ask("remember", deep=False)
        typist = Typist(session)
        session.running.tell(do="run", argv=["sh", "-c", COMMAND])
        answer(typist)
        set_up(typist)
        rehearse(typist)
        hibernate(typist)
        resume(typist, session)
        assert session.ask("check", deep=False)["wrong"] == []
        clean, text = session.power_off()
        assert clean, text
    finally:
        session.end()
    if os.environ.get("KHIB_TRANSCRIPT") == "write":
        TRANSCRIPT.write_text(transcript(typist))


def answer(typist: Typist) -> None:
    """Answer all questions, up to the one whether to seal."""
    typist.wait("Welcome to khib", name="Welcome")
    typist.choose("Start")
    for number, name in enumerate(("Checks", "Kernel", "Memory region"), 1):
        typist.wait(f"Step {number} of 7", name=name)
        typist.choose("Next")
    typist.wait("Step 4 of 7")
    typist.go_to("( ) file:/hibernate.khib", "down")
    typist.press("enter")
    typist.wait("file:/hibernate.khib takes the image", name="Image target")
    typist.choose("Next")
    for number, name in enumerate(("Options", "Boot entry"), 5):
        typist.wait(f"Step {number} of 7", name=name)
        typist.choose("Next")
    typist.wait("Step 7 of 7", name="Review")
    typist.choose("Set up")
    typist.wait("Seal the images first?", name="Seal?")


def set_up(typist: Typist) -> None:
    """Set up with these answers."""
    typist.choose("Set up without a seal", "right")
    typist.wait("Setting up: Ready", name="Set up", patience=900)


def rehearse(typist: Typist) -> None:
    """Go as far as into the saver, and say that its screen was seen."""
    typist.choose("Rehearse")
    typist.wait("1. Rehearse echo", name="Rehearsals")
    typist.choose("1. Rehearse echo", "up")
    typist.wait("This system is back", name="Echo")
    typist.choose("Rehearse")
    typist.choose("2. Rehearse jump", "down")
    typist.wait("Did you see the saver's screen", name="Jump", patience=400)
    typist.choose("Yes", "left")
    typist.choose("Home")


def hibernate(typist: Typist) -> None:
    """Hibernate, up to the power-off."""
    typist.wait("Last rehearsed well on", name="Home")
    typist.choose("Hibernate now", "down")
    typist.wait("Hibernate now?", "To go on later", name="Before")
    typist.choose("Hibernate now", "right")
    typist.wait("saver: write the image", "restorer: read the image into memory", patience=400)
    typist.wait("the session of", "is saved", patience=400)
    typist.pages.append(("Saved", typist.look()))


def resume(typist: Typist, session: Session) -> None:
    """Switch on: C shows what it found and counts down; stopped and told to, it brings this system back where it was."""
    session.running.wait()
    session.running.close()
    session.boot(session.lab.boot_c())
    typist.wait("This session can be resumed", patience=400)
    typist.press("esc")
    typist.wait("The countdown is stopped", name="Resume")
    typist.press("enter")
    typist.wait("Welcome back: asleep", "resumed: yes", name="Welcome back", patience=600)
    typist.choose("Quit")
    codes = [event["exit"] for event in session.until_exit() if isinstance(event, dict) and "exit" in event]
    assert codes == [0]


def transcript(typist: Typist) -> str:
    """Return what was seen, as a document."""
    shown = [f"## {name}\n\n```\n{text.rstrip()}\n```\n" for name, text in typist.pages]
    return "\n".join([HEAD, *shown])
