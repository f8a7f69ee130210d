"""`khib kernels build`, whole, with a source whose make takes no time."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from khib_tui.commands.arguments import parser
from khib_tui.commands.kernelbuild import build
from khib_tui.errors import CommandFailed, Exit, UsageError
from khib_tui.events.types import Event, Message, Progress, Result, Status, Step
from khib_tui.kbuild import source, tools
from khib_tui.kbuild.stock import Stock
from khib_tui.kbuild.work import Work
from tests.kbuild.conftest import stock
from tests.kit.kbuild_kit import RELEASE, kernel_source

__all__ = ["stock"]


@pytest.fixture(autouse=True)
def all_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for tests need not have all that real kernels need."""
    monkeypatch.setattr(tools, "ALWAYS", (tools.Tool("make", "make"), tools.Tool("dpkg-deb", "dpkg")))
    monkeypatch.setattr(tools, "TYPES", ())
    monkeypatch.setattr(tools, "PACKAGES", ())


@pytest.fixture
def typed(stock: Stock, tmp_path: Path) -> Namespace:
    """What is typed; the source is there."""
    into = tmp_path / "into"
    kernel_source(into / stock.ours / f"source/{stock.package}.tar.xz")
    words = ["kernels", "build", "--kernel", str(stock.path), "--into", str(into), "--jobs", "1"]
    return parser(words).parse_args(words)


def played(typed: Namespace, **change: Any) -> list[Event]:
    events: list[Event] = []
    assert build(Namespace(**{**vars(typed), **change}), events.append) == Exit.OK
    return events


def test_it_ends_in_a_package_and_the_command_that_installs_it(typed: Namespace) -> None:
    events = played(typed)
    last = events[-1]
    assert isinstance(last, Result) and last.ok
    (package,) = last.data["packages"]
    assert Path(package).is_file() and f"apt install {package}" in last.text
    assert Message(f"2 modules of {RELEASE} fit this kernel") in events
    counted = [event for event in events if isinstance(event, Progress) and event.unit == "objects"]
    assert counted[-1].done == counted[-1].total == 2
    assert any("CC_VERSION_TEXT" in event.text for event in events if isinstance(event, Message))


def test_an_interrupted_build_goes_on(typed: Namespace, stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = typed.into / stock.ours / "tree"
    unpack = source.unpack

    def with_fault(work: Work, found: Path) -> None:
        unpack(work, found)
        (work.tree / "fail-two.o").touch()

    monkeypatch.setattr(source, "unpack", with_fault)
    events: list[Event] = []
    with pytest.raises(CommandFailed, match="no such thing"):
        build(typed, events.append)
    assert any("goes on" in event.text for event in events if isinstance(event, Message))
    (tree / "fail-two.o").unlink()
    before = (tree / "one.o").stat().st_mtime_ns
    again = played(typed)
    steps = [event.text for event in again if isinstance(event, Step) and event.status is Status.STARTED]
    assert "done already" in steps[1] and "1 are done" in steps[4]
    assert (tree / "one.o").stat().st_mtime_ns == before
    assert next(event for event in again if isinstance(event, Progress)).done == 2


def test_a_dry_run_writes_nothing(typed: Namespace, stock: Stock) -> None:
    events = played(typed, dry_run=True)
    steps = [event for event in events if isinstance(event, Step)]
    assert len(steps) == 7 and {step.status for step in steps} == {Status.PLANNED}
    assert "KEXEC_JUMP=y (so that it can jump)" in steps[2].text
    assert [path.name for path in (typed.into / stock.ours).iterdir()] == ["source"]


def test_with_its_modules_there_are_fewer_steps_and_another_folder(typed: Namespace) -> None:
    events = played(typed, dry_run=True, whole=True)
    steps = [event.text for event in events if isinstance(event, Step)]
    assert len(steps) == 4 and "all its modules" in steps[3] and "-khib-whole" in steps[1]
    assert "DEBUG_INFO_BTF off" in steps[2]


def test_facts_of_another_machine_build_nothing(typed: Namespace, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        played(typed, facts=tmp_path / "facts.json")
