"""`khib seal`: a new seal from key files and standard input, and its end."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from khib_tui.events.types import Level, Message, Result, Step
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal
from tests.kit.events import failure_of
from tests.kit.sealed import PASSPHRASE

pytestmark = pytest.mark.usefixtures("quick_seals")


def kept(tmp_path: Path) -> Seal | None:
    return sealfile.load(tmp_path / "seal.json")


def test_sealing_with_a_key_file_shows_a_recovery_key_that_opens(khib_events: Any, tmp_path: Path, key_file: Path) -> None:
    code, events = khib_events("seal", "--key-file", str(key_file))
    result, made = events[-1], kept(tmp_path)
    assert code == 0 and isinstance(result, Result) and made
    assert crypto.unlock(made, PASSPHRASE) == crypto.unlock(made, result.data["recovery_key"])
    assert result.data["recovery_key"] in result.text and result.data["cipher"] == made.cipher
    assert PASSPHRASE not in (tmp_path / "seal.json").read_text()
    assert result.data["recovery_key"] not in (tmp_path / "seal.json").read_text()


def test_a_dry_run_of_sealing_writes_nothing(khib_events: Any, tmp_path: Path) -> None:
    for words, verb in ((("seal",), "write"), (("seal", "--off"), "remove")):
        code, events = khib_events(*words, "--dry-run")
        assert code == 0 and isinstance(events[0], Step) and events[0].text.startswith(verb)
    assert list(tmp_path.iterdir()) == []


def test_off_takes_the_seal_away(khib_events: Any, tmp_path: Path, key_file: Path) -> None:
    khib_events("seal", "--key-file", str(key_file))
    code, events = khib_events("seal", "--off")
    assert code == 0 and kept(tmp_path) is None and "existing ones stay sealed" in events[-1].text
    assert "were not sealed" in khib_events("seal", "--off")[1][-1].text


@pytest.mark.parametrize(
    ("content", "ident"),
    [
        (b"short", "HIB-E-WEAK"),
        (b"\n", "HIB-E-KEY-FILE"),
        (b"\xff" * 20, "HIB-E-KEY-FILE"),
        (b"x" * 4000, "HIB-E-KEY-FILE"),
        (None, "HIB-E-KEY-FILE"),
    ],
)
def test_a_bad_key_file_is_refused_and_nothing_is_written(
    khib_events: Any, tmp_path: Path, content: bytes | None, ident: str
) -> None:
    path = tmp_path / "bad"
    if content is not None:
        path.write_bytes(content)
    assert failure_of(khib_events("seal", "--key-file", str(path))[1]).ident == ident
    assert kept(tmp_path) is None


def test_without_terminal_and_key_file_there_is_a_refusal(
    khib_events: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    code, events = khib_events("seal")
    assert (code, failure_of(events).ident) == (4, "HIB-E-TTY") and "--key-file" in failure_of(events).hint
    assert kept(tmp_path) is None


def test_a_key_may_come_from_standard_input(khib_events: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSPHRASE.encode())))
    assert khib_events("seal", "--key-file", "-")[0] == 0
    made = kept(tmp_path)
    assert made and crypto.unlock(made, PASSPHRASE)


def test_characters_that_another_keyboard_may_lack_are_warned_of(khib_events: Any, tmp_path: Path) -> None:
    path = tmp_path / "umlauts"
    path.write_text("grüner Käse")
    _, events = khib_events("seal", "--key-file", str(path))
    assert [event for event in events if isinstance(event, Message) and event.level == Level.WARNING]
