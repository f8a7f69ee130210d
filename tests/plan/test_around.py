"""Around a hibernation: hooks run before and after whatever happens, sessions are frozen and thawed, drivers are told."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.events.types import Event
from khib_tui.plan import around
from khib_tui.plan.around import FreezeSessions, RunHooks, TellDrivers
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Context


def hook(folder: Path, name: str, text: str, mode: int = 0o755) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(mode)


@pytest.fixture
def said() -> list[Event]:
    return []


@pytest.fixture
def context(said: list[Event]) -> Context:
    return Context(said.append)


class Broken:
    """A step that fails."""

    def describe(self) -> str:
        return "break"

    def apply(self, context: Context) -> None:
        raise CommandFailed("broken")


@pytest.mark.parametrize("fails", [False, True])
def test_hooks_run_before_and_after_whatever_comes(tmp_path: Path, context: Context, fails: bool) -> None:
    log = tmp_path / "log"
    own, theirs = tmp_path / "own", tmp_path / "theirs"
    hook(theirs, "20-b", f'echo "b $1 $2 $SYSTEMD_SLEEP_ACTION" >>{log}')
    hook(theirs, "10-a", f'echo "their a $1" >>{log}')
    hook(own, "10-a", f'echo "my a $1" >>{log}')
    hook(own, "30-data", f"echo never >>{log}", 0o644)
    step = RunHooks((own, theirs))
    assert step.describe().endswith("10-a, 20-b")
    if fails:
        with pytest.raises(CommandFailed):
            execute([step, Broken()], context, context.sink)
    else:
        execute([step], context, context.sink)
    lines = ["my a pre", "b pre hibernate hibernate", "my a post", "b post hibernate hibernate"]
    assert log.read_text().splitlines() == lines


def test_a_hook_that_fails_is_told_and_stops_nothing(tmp_path: Path, context: Context, said: list[Event]) -> None:
    hook(tmp_path / "own", "bad", "echo no battery >&2; exit 3")
    (tmp_path / "own/data").write_bytes(b"\x01no program")
    (tmp_path / "own/data").chmod(0o755)
    execute([RunHooks((tmp_path / "own", tmp_path / "missing"))], context, context.sink)
    assert sum("bad pre" in str(event) or "bad post" in str(event) for event in said) == 2
    assert "code 3: no battery" in str(said) and sum("Exec format error" in str(event) for event in said) == 2


def test_what_a_hook_leaves_running_holds_nothing_up(tmp_path: Path, context: Context, said: list[Event]) -> None:
    hook(tmp_path / "own", "daemon", f"sleep 60 & echo $! >{tmp_path}/pid")
    began = time.monotonic()
    RunHooks((tmp_path / "own",)).apply(context)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert time.monotonic() - began < 30 and not said


def test_sessions_go_on_after_all_hooks(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.freeze").write_text("0")
    (tmp_path / "cgroup.events").write_text("frozen 1\n")
    cgroup(monkeypatch, "0::/system.slice/x\n")
    hook(tmp_path / "own", "look", f"cat {tmp_path}/cgroup.freeze >{tmp_path}/$1")
    execute([RunHooks((tmp_path / "own",)), FreezeSessions(tmp_path)], context, context.sink)
    assert [(tmp_path / name).read_text() for name in ("pre", "post", "cgroup.freeze")] == ["0", "1", "0"]


def test_sessions_are_frozen_and_thawed(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.freeze").write_text("0")
    (tmp_path / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    cgroup(monkeypatch, "0::/system.slice/x\n")
    FreezeSessions(tmp_path).apply(context)
    assert (tmp_path / "cgroup.freeze").read_text() == "1"
    context.undo()
    assert (tmp_path / "cgroup.freeze").read_text() == "0"


def cgroup(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let this process be in a cgroup."""
    real = Path.read_text
    mine = Path("/proc/self/cgroup")
    monkeypatch.setattr(Path, "read_text", lambda path, *given: text if path == mine else real(path, *given))


def test_its_own_session_is_not_frozen(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.freeze").write_text("0")
    cgroup(monkeypatch, "0::/user.slice/u\n")
    FreezeSessions(tmp_path).apply(context)
    assert (tmp_path / "cgroup.freeze").read_text() == "0"


def test_drivers_are_told_as_long_as_the_journey_lasts(
    tmp_path: Path, context: Context, said: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, nvidia = tmp_path / "snapshot", tmp_path / "suspend"
    for path in (device, nvidia):
        path.touch()
    monkeypatch.setattr(around, "SNAPSHOT", device)
    monkeypatch.setattr(around, "NVIDIA", nvidia)
    TellDrivers().apply(context)
    assert nvidia.read_text() == "hibernate" and device in opened()
    context.release()
    assert nvidia.read_text() == "resume" and device not in opened() and not said
    device.unlink()
    TellDrivers().apply(context)
    assert "not told" in str(said)


def opened() -> list[Path]:
    """What this process has open."""
    return [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


def test_refusals_reach_terminals_and_desktops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1000", "1001", "gdm"):
        (tmp_path / name).mkdir()
    (tmp_path / "1000/bus").touch()
    listed = list(around.users(tmp_path))
    assert listed == [(1000, tmp_path / "1000/bus")]
    monkeypatch.setattr(around, "users", lambda: iter(listed))
    seen: list[list[str]] = []
    around.tell_desktops("no room", seen.append)
    assert seen[0] == ["wall", "khib: not hibernated: no room"]
    assert seen[1][1] == "--reuid=1000" and seen[1][-1] == "no room" and f"unix:path={tmp_path}/1000/bus" in seen[1][5]
