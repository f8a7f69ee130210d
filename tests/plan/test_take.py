"""The target is looked at and taken before anything is written, and held until the jump."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.decide.choice import Choice, image_limit
from khib_tui.errors import Refused
from khib_tui.handover.handover import Mode
from khib_tui.model.machine import BlockDevice
from khib_tui.plan import build
from khib_tui.plan.execute import execute
from khib_tui.plan.hibernate import Jump
from khib_tui.plan.step import Context
from khib_tui.plan.take import TakeTarget
from khib_tui.target import look
from tests.kit.fakekernel import FakeKernel
from tests.kit.saved import nothing

MakeChoice = Callable[..., Choice]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What happened to the target."""
    seen: list[Any] = []

    @contextmanager
    def held(device: BlockDevice) -> Iterator[None]:
        seen.append(f"hold {device.path}")
        yield
        seen.append("let go")

    monkeypatch.setattr(look, "held", held)
    monkeypatch.setattr(look, "refuse_unfit", lambda device, *given: seen.append((device.path, *given)))
    return seen


def test_it_comes_first_in_every_task_that_has_a_target(choice_of: MakeChoice, tmp_path: Path) -> None:
    choice = choice_of()
    for steps in (build.setup(choice, tmp_path / "khib.toml"), build.journey(choice, Mode.SAVE)):
        assert steps[0] == TakeTarget(choice) and [type(step) for step in steps].count(TakeTarget) == 1


def test_a_partition_is_held_and_given_back_when_the_run_ends(choice_of: MakeChoice, told: list[Any]) -> None:
    execute([TakeTarget(choice_of())], Context(nothing), nothing)
    assert told == ["hold /dev/vdb1", "let go"]


def test_a_file_is_looked_at_first(choice_of: MakeChoice, told: list[Any]) -> None:
    choice = choice_of(target="/dev/vdb2:/d/h.khib")
    TakeTarget(choice).apply(Context(nothing))
    assert told == [("/dev/vdb2", "/d/h.khib", image_limit(choice.region)), "hold /dev/vdb2"]


def test_it_is_held_at_the_jump_and_free_after_it(
    choice_of: MakeChoice, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel, context = FakeKernel(monkeypatch), Context(nothing)
    kernel.jump = lambda: told.append("jump")
    context.page = type("Page", (), {"read": lambda _: None})()
    TakeTarget(choice_of()).apply(context)
    Jump(choice_of(), Mode.SAVE).apply(context)
    assert told == ["hold /dev/vdb1", "jump", "let go"]


def test_it_is_given_back_when_a_later_step_fails(choice_of: MakeChoice, told: list[Any]) -> None:
    class Failing:
        def describe(self) -> str:
            return "fail"

        def apply(self, context: Context) -> None:
            raise Refused("no")

    with pytest.raises(Refused):
        execute([TakeTarget(choice_of()), Failing()], Context(nothing), nothing)
    assert told == ["hold /dev/vdb1", "let go"]


def test_a_target_that_was_pulled_out_is_refused(choice_of: MakeChoice) -> None:
    choice = choice_of(target="/dev/vdb2:/h.khib")
    gone = TakeTarget(replace(choice, machine=msgspec.structs.replace(choice.machine, devices=())))
    with pytest.raises(Refused) as caught:
        gone.apply(Context(nothing))
    assert caught.value.ident == "HIB-E-TARGET-MISSING"
