"""The whole set-up typed by keys alone on a real terminal of a serial line's kind, as the lab's test types it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.kit import MACHINES
from tests.kit.typist import COLUMNS, ROWS, Typist
from tests.lab.test_wizard import answer


@pytest.fixture
def typist(tmp_path: Path) -> Iterator[Typist]:
    """Somebody in front of the wizard, which shows another machine and so applies nothing."""
    log = tmp_path / "console.log"
    log.touch()
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (ROWS, COLUMNS))
    facts, settings = str(MACHINES / "qemu-uefi-5g.json"), str(tmp_path / "k.toml")
    words = [sys.executable, "-m", "khib_tui", "--facts", facts, "--settings", settings]
    environ = os.environ | {"TERM": "vt100", "LANG": "C.UTF-8"}
    program = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True)

    def keep() -> None:
        while data := read(master):
            with log.open("ab") as stream:
                stream.write(data)

    threading.Thread(target=keep, daemon=True).start()
    line = SimpleNamespace(type=lambda keys: os.write(master, keys), nudge=lambda _: None)
    session = SimpleNamespace(lab=SimpleNamespace(directory=tmp_path), running=line, lost=AssertionError)
    yield Typist(cast(Any, session))
    program.kill()
    program.wait()
    os.close(slave)


def read(master: int) -> bytes:
    """Read what is drawn; nothing once the program is gone."""
    try:
        return os.read(master, 65536)
    except OSError:
        return b""


@pytest.mark.long
def test_keys_alone_lead_from_welcome_to_set_up(typist: Typist) -> None:
    answer(typist)
    typist.choose("Set up without a seal", "right")
    typist.wait("these are the facts of another machine", name="Refused", patience=30)
    named = [name for name, _ in typist.pages]
    assert named == [
        "Welcome", "Checks", "Kernel", "Memory region", "Image target", "Options", "Boot entry", "Review", "Seal?", "Refused",
    ]  # fmt: skip
    assert "(*) file:/hibernate.khib" in dict(typist.pages)["Image target"]
