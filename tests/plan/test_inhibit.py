"""logind's locks are held as long as the journey lasts, and no journey fails for want of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.decide.choice import Choice
from khib_tui.events.types import Event
from khib_tui.handover.handover import Mode
from khib_tui.plan import build
from khib_tui.plan.inhibit import Inhibit
from khib_tui.plan.step import Context


def systemd_inhibit(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of this name first on the PATH."""
    program = folder / "systemd-inhibit"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_locks_are_held_until_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Event] = []
    context = Context(said.append)
    systemd_inhibit(tmp_path, f'echo "$*" >{tmp_path}/words; echo $$ >{tmp_path}/pid; exec cat', monkeypatch)
    Inhibit().apply(context)
    holder = Path("/proc") / (tmp_path / "pid").read_text().strip()
    assert holder.exists() and not said
    words = (tmp_path / "words").read_text()
    assert "--mode=block" in words and "shutdown:" in words and "handle-lid-switch:sleep" in words
    context.release()
    assert not holder.exists() and not said


@pytest.mark.parametrize("text", ["exit 1", "exec /nowhere/it-is-not-there 2>/dev/null"])
def test_without_locks_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    said: list[Event] = []
    systemd_inhibit(tmp_path, text, monkeypatch)
    context = Context(said.append)
    Inhibit().apply(context)
    context.release()
    assert "not held back" in str(said)


def test_logind_gives_no_lock_of_sleep_while_it_sends_to_sleep(choice_of: Callable[..., Choice]) -> None:
    plain = choice_of()
    choice = replace(plain, machine=msgspec.structs.replace(plain.machine, systemd=True))
    assert build.journey(choice, Mode.SAVE)[0] == Inhibit()
    assert build.journey(choice, Mode.SAVE, from_systemd=True)[0] == Inhibit(sleep=False)
    assert Inhibit().what.endswith(":sleep") and "sleep" not in Inhibit(sleep=False).what
    assert not any(isinstance(step, Inhibit) for step in build.journey(plain, Mode.SAVE))
