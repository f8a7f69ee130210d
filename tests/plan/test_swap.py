"""A swap as the image's place: lent late, had back whatever happens, and never where an image could be overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from khib_tui.decide.choice import Choice
from khib_tui.decide.swapplace import ROOM
from khib_tui.errors import Refused
from khib_tui.events.types import Event, Level, Message
from khib_tui.facts import blockdev
from khib_tui.facts.usage import ActiveSwap
from khib_tui.guard.files import settings
from khib_tui.handover.handover import Mode
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import Header, State
from khib_tui.model.target import Target
from khib_tui.model.units import GIB, MIB, PAGE
from khib_tui.plan import build, hibernate, ownfile
from khib_tui.plan import swap as steps
from khib_tui.plan.boot import WriteBootEntry
from khib_tui.plan.close import CloseImage
from khib_tui.plan.discard import Discard
from khib_tui.plan.execute import execute
from khib_tui.plan.hibernate import LoadSaver, refuse_moved
from khib_tui.plan.step import Context
from khib_tui.plan.swap import HaveSwapBack, LendSwap, TakeSwap
from khib_tui.plan.take import TakeTarget
from khib_tui.prints.stack import Stack
from khib_tui.target import beneath, swap, swapheader
from khib_tui.target.catalog import Found
from tests.kit import swaps
from tests.kit.machines import BIOS

MakeChoice = Callable[..., Choice]
SIZE = 16 * MIB
PART = next(item for item in BIOS.devices if item.name == "vdb1")


class System:
    """What swaps: one area, on or off, in a file that stands for the partition."""

    def __init__(self, path: Path) -> None:
        self.path, self.on, self.used, self.free, self.said = path, True, 300 * MIB, 8 * GIB, list[str]()
        self.fails = False

    def active(self, target: Target) -> ActiveSwap | None:
        return ActiveSwap(os.fspath(self.path), SIZE, self.used, 7) if self.on else None

    def off(self, target: Target) -> None:
        if self.fails:
            raise Refused("no memory", ident="HIB-E-SWAP-OFF")
        self.on = False
        self.said.append("off")

    def swap_on(self, target: Target, was: ActiveSwap | None) -> None:
        assert not swapheader.lent(swapheader.read(self.path))
        self.on = True
        self.said.append(f"on {was.priority if was else 'fstab'}")


@pytest.fixture
def partition(choice_of: MakeChoice) -> Choice:
    """What is decided for the partition, before its node is another one."""
    return choice_of(target="/dev/vdb1")


@pytest.fixture
def system(partition: Choice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    path = swaps.made(tmp_path / "swap", SIZE)
    made = System(path)
    for name, what in {"active": made.active, "off": made.off, "on": made.swap_on, "refuse_other_tools": lambda: None}.items():
        monkeypatch.setattr(swap, name, what)
    nodes = {"vdb1": os.fspath(path)}
    monkeypatch.setattr(type(PART), "path", property(lambda device: nodes.get(device.name, f"/dev/{device.name}")))
    monkeypatch.setattr(blockdev, "devices", lambda: (PART,))
    monkeypatch.setattr(steps, "meminfo", lambda root, key: made.free)
    monkeypatch.setattr(beneath, "stack_of", lambda devices: Stack({}, {item.name: item.size for item in devices}))
    monkeypatch.setattr(ownfile, "GUARD", Path("/nonexistent"))
    return made


@pytest.fixture
def choice(partition: Choice, system: System) -> Choice:
    """The same choice, with the swap as its target."""
    return replace(partition, target=Target(os.fspath(system.path), swap=True))


def lent(system: System) -> bool:
    return swapheader.lent(swapheader.read(system.path))


def image(system: System, state: State) -> None:
    """Put an image where one would lie."""
    with ranges.Ranged(system.path, ((swap.HEAD, SIZE),), writable=True) as store:
        store.write_map()
        headers.advance(store, headers.write(store, Header("aa" * 16, State.PARTIAL, 0)), state)


def test_set_up_looks_and_a_journey_lends_late_and_has_back_at_last(choice: Choice, system: System, tmp_path: Path) -> None:
    assert build.setup(choice, tmp_path / "khib.toml")[0] == TakeSwap(choice)
    journey = build.journey(choice, Mode.SAVE)
    kinds: list[type] = [type(step) for step in journey]
    assert journey[0] == TakeSwap(choice, again=True) and TakeTarget not in kinds
    assert kinds.index(WriteBootEntry) < kinds.index(LendSwap) < kinds.index(LoadSaver)
    assert kinds[-2:] == [CloseImage, HaveSwapBack]
    assert all(os.fspath(system.path) in step.describe() for step in journey if "Swap" in type(step).__name__)
    assert not any("Swap" in type(step).__name__ for step in build.journey(replace(choice, target=None), Mode.REHEARSE))


def test_it_is_lent_with_a_header_that_is_watched_and_had_back_on_as_before(
    choice: Choice, system: System, context: Context
) -> None:
    before = system.path.read_bytes()
    TakeSwap(choice, again=True).apply(context)
    assert system.on and system.path.read_bytes() == before
    LendSwap(choice).apply(context)
    assert not system.on and lent(system) and context.place and context.place.spans == ((swap.HEAD, SIZE),)
    assert [item.spots for item in context.watched] == [((0, PAGE),)] and not context.dead
    refuse_moved(context)
    HaveSwapBack(choice).apply(context)
    assert system.said == ["off", "on 7"] and system.path.read_bytes() == before
    context.undo()
    assert system.said == ["off", "on 7"]


def test_what_is_off_before_is_lent_and_stays_off(choice: Choice, system: System, context: Context) -> None:
    system.on = False
    TakeSwap(choice).apply(context)
    LendSwap(choice).apply(context)
    HaveSwapBack(choice).apply(context)
    assert system.said == [] and not lent(system)


def test_too_much_in_it_is_refused_before_anything_is_done(choice: Choice, system: System, context: Context) -> None:
    system.free = system.used + choice.region.needed_memory + ROOM
    TakeSwap(choice).apply(context)
    system.free -= 1
    with pytest.raises(Refused) as caught:
        LendSwap(choice).apply(context)
    assert caught.value.ident == "HIB-E-SWAP-FULL" and system.on and not lent(system)


class Failing:
    """A step that fails, as loading or jumping may."""

    def describe(self) -> str:
        return "fail"

    def apply(self, context: Context) -> None:
        raise Refused("no", ident="HIB-E-JUMP")


@pytest.mark.parametrize("fails", [False, True])
def test_whatever_fails_afterwards_it_is_swap_again(choice: Choice, system: System, context: Context, fails: bool) -> None:
    system.fails = fails
    with pytest.raises(Refused):
        execute([TakeSwap(choice), LendSwap(choice), Failing()], context, context.sink)
    assert system.on and not lent(system)


def test_an_image_that_waits_in_it_is_never_written_over(choice: Choice, system: System, context: Context) -> None:
    image(system, State.COMPLETE)
    system.on = False
    swapheader.lend(system.path)
    with pytest.raises(Refused) as caught:
        TakeSwap(choice).apply(context)
    assert caught.value.ident == "HIB-E-COMPLETE"


def test_one_that_was_swapped_over_is_none_any_more_and_the_saver_knows(
    choice: Choice, system: System, context: Context
) -> None:
    image(system, State.COMPLETE)
    TakeSwap(choice).apply(context)
    LendSwap(choice).apply(context)
    assert context.dead == "aa" * 16


@pytest.mark.parametrize("deed", ["on", "signed", "moved"])
def test_what_uses_it_before_the_jump_stops_the_jump(
    choice: Choice, system: System, context: Context, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    monkeypatch.setattr(hibernate, "reboot", lambda *_: pytest.fail("jumped"))
    TakeSwap(choice).apply(context)
    LendSwap(choice).apply(context)
    match deed:
        case "on":
            system.on = True
        case "signed":
            swapheader.take_back(system.path)
        case "moved":
            monkeypatch.setattr(swap, "HEAD", 2 * swap.HEAD)
    with pytest.raises(Refused) as caught:
        hibernate.Jump(choice, Mode.SAVE).apply(context)
    assert caught.value.ident == "HIB-E-TARGET-MOVED"


def test_where_the_guard_would_look_elsewhere_set_up_comes_first(
    choice: Choice, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = tmp_path / "guard.conf"
    monkeypatch.setattr(ownfile, "GUARD", conf)
    conf.write_text(settings("1234", "ab", 10, ranges.first_sector(((swap.HEAD, SIZE),)), lent=True))
    TakeSwap(choice, again=True).apply(context)
    conf.write_text(settings("1234", "ab", 10, 1))
    with pytest.raises(Refused) as caught:
        TakeSwap(choice, again=True).apply(context)
    assert caught.value.ident == "HIB-E-TARGET-MOVED"


def test_a_swap_that_cannot_be_on_again_is_told_and_the_session_goes_on(
    choice: Choice, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Event] = []
    context = Context(said.append)
    TakeSwap(choice).apply(context)
    LendSwap(choice).apply(context)

    def broken(*_: object) -> None:
        raise Refused("no such device", ident="HIB-E-COMMAND")

    monkeypatch.setattr(swap, "on", broken)
    HaveSwapBack(choice).apply(context)
    (told,) = [item for item in said if isinstance(item, Message) and item.level is Level.ERROR]
    assert "no such device" in told.text and "swapon" in told.text and not lent(system)


def test_a_discarded_image_gives_its_swap_back(choice: Choice, system: System, context: Context) -> None:
    image(system, State.COMPLETE)
    system.on = False
    swapheader.lend(system.path)
    found = swap.located(Target(os.fspath(system.path), swap=True), [PART], sealed=False)
    with ranges.Ranged(system.path, found.place.spans) as store:
        header = headers.read(store)
    assert header and header.state is State.COMPLETE
    step = Discard(BIOS, Found(found.place, "here", header), f"swap:{system.path}")
    step.give_swap_back(context)
    assert system.said == ["on fstab"] and not lent(system)
    step.give_swap_back(context)
    assert system.said == ["on fstab"]
