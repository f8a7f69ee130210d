"""Names, labels and log lines of others at every sink: nothing steers a terminal, a line stays a line, columns stay columns."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import urwid
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcwidth

from khib_tui.commands.common import confirm
from khib_tui.errors import Cancelled, ImageError
from khib_tui.events.sinks import JsonSink, PlainSink
from khib_tui.events.types import Event, Failure, Finding, Level, Message, Result, Severity, Stage, StageName, Status, Step
from khib_tui.image import header as headers
from khib_tui.image.header import Header, State
from khib_tui.image.store import Store
from khib_tui.model import machine
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.text import clean, visible
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.restore.found import FoundPage
from screens.restore.refused import RefusedPage
from screens.ui.images import cells
from screens.ui.shown import Text
from screens.ui.window import Window
from tests.kit import ROOT, screens_kit
from tests.kit.saved import empty
from tests.kit.screens_kit import CHECKS, KERNEL, TARGET, DrivenScreen

NFD = unicodedata.normalize("NFD", "Données de la clé de Zoé Müller à l'été")  # as macOS names volumes
HOSTILE = (
    "\x1b[2J\x1b]0;title\x07", "a\u202egpj.exe", "\x9b31m", NFD, "a" + "\u0301" * 30, "\u0939\u094d" * 15, "tag\U000e0041",
    "zero\u200bwidth", "x\r\n[ ok ] all is well", "\udcff\ud800", "\u1100\u1161\u11a8\u1161", "盘" * 20, "\U0001f1e9\U0001f1ea",
    "\U0001f44d\U0001f3fd", "\u3164", "e\u20dd", "\xad\u2028\u2029", "\U0001f468\u200d\U0001f469",
)  # fmt: skip
PIECES = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec=None), max_size=30))
FOREIGN = st.lists(PIECES, min_size=1, max_size=3).map("".join)
ENCODINGS = ("utf-8", "ascii", "latin-1")


def events(text: str) -> list[Event]:
    """Every kind of event that says something, saying this."""
    return [
        Message(text), Message(text, Level.ERROR), Finding("HIB-E-X", Severity.BLOCKER, text, text, text),
        Step(1, 2, text, Status.STARTED), Step(1, 0, text, Status.PLANNED), Stage(StageName.SAVE, Status.FAILED, text),
        Stage(StageName.SAVE, Status.DONE, text, 1.0), Result("x", True, "fine", {"name": text, text: [text]}),
        Failure("HIB-E-X", text, text), Failure.of(OSError(5, text, text)), Failure.of(ValueError(text)),
    ]  # fmt: skip


def unsafe(text: str) -> set[str]:
    """What of a text is no letter, number, sign or space, or has no width of its own."""
    return {char for char in text if unicodedata.category(char)[0] in "CM" or char in "\u2028\u2029" or wcwidth(char) < 1}


@given(FOREIGN)
def test_text_that_was_cleaned_is_as_wide_as_its_characters(text: str) -> None:
    for shown in (clean(text, 40), visible(text)):
        assert not unsafe(shown)
        assert urwid.calc_width(shown, 0, len(shown)) == sum(wcwidth(char) for char in shown)


@given(FOREIGN, st.sampled_from(ENCODINGS))
def test_plain_lines_stay_lines_in_every_encoding(text: str, encoding: str) -> None:
    raw = io.BytesIO()
    sink = PlainSink(io.TextIOWrapper(raw, encoding=encoding, newline=""))
    told = events(text)
    for event in told:
        before = len(raw.getvalue())
        sink(event)
        lines = raw.getvalue()[before:].decode(encoding).removesuffix("\n").split("\n")
        assert len(lines) <= 3 and not unsafe("".join(lines))


@given(FOREIGN)
def test_json_keeps_the_values_in_harmless_bytes(text: str) -> None:
    raw = io.BytesIO()
    for event in events(text):
        JsonSink(raw)(event)
    for line in raw.getvalue().splitlines():
        assert not unsafe(line.decode()) and json.loads(line)
    first = json.loads(raw.getvalue().splitlines()[0])["text"]
    assert first == text or any(unicodedata.category(char) == "Cs" for char in text)


def test_json_names_a_file_that_is_no_utf8_with_an_escape() -> None:
    raw = io.BytesIO()
    JsonSink(raw)(Result("x", True, "", {"file": b"a\xff".decode(errors="surrogateescape")}))
    assert json.loads(raw.getvalue())["data"] == {"file": "a\\udcff"}


@pytest.fixture(params=ENCODINGS[:2])
def encoding(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the terminal can show: also that of TERM=vt100 and dumb ones."""
    former = urwid.util.get_encoding()
    urwid.set_encoding(request.param)
    yield str(request.param)
    urwid.set_encoding(former)


def found(text: str, state: State = State.COMPLETE) -> Found:
    """An image of a system that somebody else named."""
    header = headers.showable(Header("ab" * 16, state, 1, host=text, release=text, reason=text))
    return Found(TargetRef(DeviceKey("", 0, 1, "")), "/dev/vdb1", header)


def drawn(window: Window) -> None:
    """Draw, and see that nothing unsafe is on the screen and every row is full."""
    text = screens_kit.shown(window)
    assert not unsafe(text.replace("\n", ""))
    for row in text.split("\n"):
        assert urwid.calc_width(row, 0, len(row)) == window.room[0] or urwid.util.get_encoding() != "utf-8"


def screens(text: str, size: tuple[int, int]) -> None:
    """Draw the screens of C that show others' text: what was found, what was refused, an error in a box."""
    window = Window(DrivenScreen(size=size))
    window.show(FoundPage(window, [found(text)], 10))
    drawn(window)
    window.show(FoundPage(window, [found(text), found("other")], -1))
    drawn(window)
    item = found(text, State.ABANDONED)
    with pytest.raises(ImageError) as caught:
        catalog.refuse_state(item.header)
    window.show(RefusedPage(window, caught.value, item, State.ABANDONED))
    drawn(window)
    window.show(RefusedPage(window, ImageError(text, hint=text), item, None))
    window.complain(ValueError(text))
    drawn(window)
    drawn_cells = [cell if isinstance(cell, str) else getattr(cell, "text", "") for cell in cells(found(text))]
    assert not unsafe("".join(map(str, drawn_cells)))


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 20)], ids=str)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_screens_of_c_show_what_others_wrote(text: str, size: tuple[int, int], encoding: str) -> None:
    screens(text, size)


@pytest.mark.parametrize("step", [CHECKS, KERNEL, TARGET])
@pytest.mark.parametrize("text", [NFD, "a" + "\u0301" * 15, "\x1b[2J\u202e"], ids=ascii)
def test_pages_of_the_wizard_show_what_others_wrote(text: str, step: int, encoding: str, tmp_path: Path) -> None:
    here = screens_kit.facts()
    devices = tuple(msgspec.structs.replace(item, label=text, model=text) for item in here.devices)
    kernels = tuple(msgspec.structs.replace(item, path=f"/boot/{text}", release=text) for item in here.kernels)
    odd = msgspec.structs.replace(here, devices=devices, kernels=kernels, release=text)
    drawn(screens_kit.at(tmp_path, step, odd).window)


def test_a_screen_keeps_lines_and_shows_everything_else() -> None:
    assert Text("one\ntwo\x1b\u0301").text == "one\ntwo\\x1b\\u0301"


def test_no_screen_makes_texts_that_are_not_looked_at() -> None:
    users = {path.name for path in (ROOT / "screens").rglob("*.py") if "urwid.Text(" in (text := path.read_text())
             or "urwid.SelectableIcon(" in text}  # fmt: skip
    assert not users


def test_a_header_is_clean_from_where_it_is_read(tmp_path: Path) -> None:
    path = empty(tmp_path / "stick", 3 << 20)
    with Store(path, writable=True) as store:
        headers.write(store, Header("ab" * 16, State.ABANDONED, 1, created=1e20, host="\x1b[2J", reason="\u202e", release=NFD))
        item = Found(TargetRef(DeviceKey("", 0, 1, "")), "/dev/vdb1", headers.read(store) or Header("", State.DONE, 0))
        info = catalog.info(item, store)
    assert not unsafe(catalog.line(item)) and "\\x1b[2J, ?" in catalog.line(item)
    assert info["host"] == "\\x1b[2J" and info["created"] == "?"


def test_a_question_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "no"

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(Cancelled):
        confirm("Discard \x1b[2Jimage\u202e?")
    assert asked == ["Discard \\x1b[2Jimage\\u202e? Type yes: "]


def test_facts_are_json_that_may_be_printed() -> None:
    odd = msgspec.structs.replace(screens_kit.facts(), release="\x9b2J\udcff")
    text = machine.dump(odd).decode()
    assert not unsafe(text.replace("\n", "")) and json.loads(text)["release"] == "\x9b2J\\udcff"


@pytest.mark.parametrize("flag", ["--json", "--plain"])
def test_a_file_name_that_is_no_utf8_is_told_in_an_error(flag: str, tmp_path: Path) -> None:
    wanted = bytes(tmp_path) + b"/a\xff\x1b[2J"
    words: list[str | bytes] = [sys.executable, "-m", "khib_tui", flag, "image", "info", wanted]
    facts = ["--facts", str(ROOT / "tests/machines/qemu-bios-1g.json")]
    done = subprocess.run([*words, *facts], cwd=ROOT, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode()
    assert not unsafe(output.replace("\n", "")) and "Traceback" not in output and "HIB-E-" in output


def noise(seed: int) -> str:
    """A text of all that there is, from one seed."""
    some = random.Random(seed)
    return "".join(some.choice(HOSTILE) if not some.randrange(4) else chr(some.randrange(0x110000)) for _ in range(12))


@pytest.mark.parametrize("seed", range(30))
def test_screens_of_c_show_random_text(seed: int, encoding: str) -> None:
    screens(noise(seed), (80, 24))


@pytest.mark.long
def test_screens_of_c_show_random_text_for_long(encoding: str) -> None:
    for seed in range(3000):
        screens(noise(seed), ((80, 24), (60, 20), (40, 20))[seed % 3])


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(FOREIGN)
def test_text_is_as_wide_as_its_characters_for_long(text: str) -> None:
    assert urwid.calc_width(visible(text), 0, len(visible(text))) == sum(wcwidth(char) for char in visible(text))
