"""What khib would do on each machine of the collection, as it is printed: text and JSON, sealed and not.

A change of what is planned or said shows here as a diff. To take it over: `KHIB_GOLDEN=write pytest tests/plan/test_golden.py`,
then read the diff before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui import cli
from khib_tui.decide.target import candidates
from khib_tui.events.types import Event, Failure, Finding, Message, Step, decode
from khib_tui.model import machine
from khib_tui.model.units import GIB
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Cipher, Seal
from tests.kit import MACHINES

GOLDEN = Path(__file__).with_name("golden")
WRITE = os.environ.get("KHIB_GOLDEN") == "write"
VERBS = {
    "setup": ["setup"], "hibernate": ["hibernate"], "rehearse": ["rehearse"], "rehearse-save": ["rehearse", "--save"],
}  # fmt: skip
NAMES = [path.stem for path in sorted(MACHINES.glob("*.json"))]
CASES = [(name, verb, sealed) for name in NAMES for verb in VERBS for sealed in (False, True)]
ALL = pytest.mark.parametrize(("name", "verb", "sealed"), CASES, ids=lambda given: str(given))


def golden(name: str, verb: str, sealed: bool, kind: str) -> Path:
    return GOLDEN / f"{name}-{verb}{'-sealed' if sealed else ''}.{kind}"


def place(name: str) -> str:
    """Where the image of a machine goes: to the first place that is fit, else to the first that is not."""
    found = candidates(machine.load(MACHINES / f"{name}.json"), GIB)
    return str(next((target for target, reasons in found if not reasons), found[0][0]))


def printed(capsys: pytest.CaptureFixture[str], directory: Path, case: tuple[str, str, bool], *options: str) -> str:
    """Run the command; give what it prints and its exit code. The settings seem to lie where they do on a real system."""
    name, verb, sealed = case
    if sealed:
        sealfile.save(Seal(Cipher.AES, ()), directory / "seal.json")
    words = ["--facts", str(MACHINES / f"{name}.json"), "--settings", str(directory / "khib.toml"), *options]
    code = cli.main([*words, *VERBS[verb], "--target", place(name), "--dry-run"])
    shown = capsys.readouterr()
    end = f'{{"exit":{code}}}' if "--json" in options else f"exit {code}"
    return f"{shown.out}{shown.err}{end}\n".replace(str(directory), "/etc/khib")


def compared(text: str, path: Path) -> None:
    """Compare with the golden file, or write it if that was asked for."""
    if WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@ALL
def test_the_plan_is_printed_as_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, verb: str, sealed: bool
) -> None:
    case = (name, verb, sealed)
    compared(printed(capsys, tmp_path, case), golden(*case, "txt"))
    compared(printed(capsys, tmp_path, case, "--json"), golden(*case, "json"))


def events(path: Path) -> list[Event]:
    return [decode(line) for line in path.read_bytes().splitlines()[:-1]]


def said(event: Event) -> str:
    """The words of an event that every way of telling it must have."""
    match event:
        case Step(text=text) | Message(text=text) | Failure(message=text) | Finding(what=text):
            return text
    raise AssertionError(f"a plan has no {type(event).__name__}")


@ALL
def test_text_and_json_say_the_same(name: str, verb: str, sealed: bool) -> None:
    text = golden(name, verb, sealed, "txt").read_text()
    assert [said(event) for event in events(golden(name, verb, sealed, "json")) if said(event) not in text] == []


@ALL
def test_a_sealed_plan_differs_where_an_image_or_an_entry_is_made_and_nowhere_else(name: str, verb: str, sealed: bool) -> None:
    plain, other = (events(golden(name, verb, also, "json")) for also in (False, True))
    steps = [[event.text for event in found if isinstance(event, Step)] for found in (plain, other)]
    assert len(steps[0]) == len(steps[1])
    changed = {new for old, new in zip(*steps, strict=True) if old != new}
    assert all("sealed" in text for text in changed)
    assert bool(changed) is (verb != "rehearse" and bool(steps[0]))


def test_no_golden_file_is_left_over() -> None:
    wanted = {golden(*case, kind) for case in CASES for kind in ("txt", "json")}
    assert {path.name for path in GOLDEN.iterdir()} == {path.name for path in wanted}
