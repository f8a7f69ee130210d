"""The echo: one page, its steps, and what it needs and does not need."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.commands import arguments
from khib_tui.decide.region import system_ram
from khib_tui.errors import CommandFailed, Refused
from khib_tui.events.types import Event, Message, Status, Step
from khib_tui.jump import stubs
from khib_tui.jump.echo import echo_page, echo_segment
from khib_tui.jump.gdt import KernelFacts
from khib_tui.linux.syscalls import REBOOT_KEXEC
from khib_tui.model import machine
from khib_tui.model.machine import Machine, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.plan import echo
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Context
from tests.kit import MACHINES

GDT_OF_A = 0xFFFF_8880_0000_1000


def facts(name: str = "qemu-bios-1g", **changes: Any) -> Machine:
    return msgspec.structs.replace(machine.load(MACHINES / f"{name}.json"), **changes)


@pytest.mark.parametrize("name", [path.stem for path in sorted(MACHINES.glob("*.json"))])
def test_the_page_is_a_whole_page_of_ram(name: str) -> None:
    here = facts(name)
    page = echo_page(here)
    assert page % PAGE == 0 and system_ram(here.iomem).covers(Ranges.of([(page, page + PAGE)]))


def test_all_that_is_loaded_is_the_page_of_the_way_back() -> None:
    segment = echo_segment(0x123_4000, GDT_OF_A)
    assert (segment.start, segment.end, segment.data) == (0x123_4000, 0x123_5000, stubs.echo(GDT_OF_A))


def test_it_needs_no_saver_and_nothing_that_only_a_restart_needs() -> None:
    echo.refuse_echo(facts(kernels=(), firmware_memmap=(), balloon=True))


@pytest.mark.parametrize(
    ("changes", "ident"),
    [
        ({"root": False}, "HIB-E-ROOT"),
        ({"config": {"KEXEC": "y", "HIBERNATION": "y"}}, "HIB-E-KEXEC-JUMP"),
        ({"kallsyms": False}, "HIB-E-KALLSYMS"),
        ({"iomem": (MemoryRange(0, 4096, "Reserved"),)}, "HIB-E-IOMEM"),
    ],
)
def test_what_the_jump_itself_needs_is_asked_for(changes: dict[str, Any], ident: str) -> None:
    with pytest.raises(Refused) as caught:
        echo.refuse_echo(facts(**changes))
    assert caught.value.ident == ident


class Kernel:
    """Stands in for the kernel, and notes what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: str = "") -> None:
        self.told: list[str] = []
        self.fault = fault
        monkeypatch.setattr("khib_tui.plan.hibernate.syncfs", lambda place: self.told.append(f"sync {place}"))
        monkeypatch.setattr("khib_tui.jump.gdt.read_facts", lambda: KernelFacts(GDT_OF_A, "", 0))
        monkeypatch.setattr("khib_tui.jump.echo.kexec_load", self.load)
        for module in ("echo", "hibernate", "step"):
            monkeypatch.setattr(f"khib_tui.plan.{module}.kexec_unload", lambda: self.told.append("unload"))
        monkeypatch.setattr("khib_tui.plan.echo.reboot", self.jump)

    def load(self, entry: int, segments: Any, *, preserve_context: bool) -> None:
        assert preserve_context and [segment.start for segment in segments] == [entry]
        self.told.append("load")

    def jump(self, command: int) -> None:
        assert command == REBOOT_KEXEC
        self.told.append("jump")
        if self.fault:
            raise CommandFailed(self.fault, ident="HIB-E-JUMP")


def test_it_writes_back_loads_jumps_and_unloads_and_says_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, seen = Kernel(monkeypatch), list[Event]()
    clock = iter([100.0, 101.234])
    monkeypatch.setattr("khib_tui.plan.echo.time", type("Clock", (), {"monotonic": staticmethod(lambda: next(clock))}))
    run = Context(seen.append)
    execute(echo.echo(facts()), run, seen.append)
    assert [word for word in kernel.told if not word.startswith("sync")] == ["unload", "load", "jump", "unload"]
    assert kernel.told.index("sync /") < kernel.told.index("load")
    result = echo.echoed(run)
    assert result.text == "rehearsed: the kernel froze the devices and came back in 1.2 s"
    assert result.data["outcome"] == "rehearsed" and result.data["away_seconds"] == pytest.approx(1.234)


def test_a_device_that_cannot_freeze_leaves_nothing_loaded_and_a_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, seen = Kernel(monkeypatch, "the kernel could not jump: Device or resource busy"), list[Event]()
    run = Context(seen.append)
    with pytest.raises(CommandFailed) as caught:
        execute(echo.echo(facts()), run, seen.append)
    assert caught.value.ident == "HIB-E-JUMP" and "dmesg" in (caught.value.hint or "")
    assert kernel.told[-2:] == ["jump", "unload"] and not run.loaded
    assert isinstance(seen[-2], Step) and seen[-2].status == Status.FAILED
    assert isinstance(seen[-1], Message) and "unloaded" in seen[-1].text


def test_a_rehearsal_goes_one_way_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        arguments.parser().parse_args(["rehearse", "--echo", "--save"])
    assert caught.value.code == 2 and "--save" in capsys.readouterr().err
