"""systemd is told to hibernate with khib, and told otherwise again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.decide.choice import Choice
from khib_tui.errors import Refused
from khib_tui.handover.handover import Mode
from khib_tui.plan import build, desktop, program
from khib_tui.plan.around import SLEEP_HOOKS, FreezeSessions, RunHooks
from khib_tui.plan.desktop import GiveHibernateBack, TakeOverHibernate
from khib_tui.plan.step import Context

MakeChoice = Callable[..., Choice]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system with khib installed."""
    command = tmp_path / program.command().relative_to("/")
    command.parent.mkdir(parents=True)
    command.touch()
    return tmp_path


def with_systemd(choice: Choice) -> Choice:
    return replace(choice, machine=msgspec.structs.replace(choice.machine, systemd=True))


def test_it_is_taken_over_once_and_given_back_without_a_trace(root: Path, context: Context) -> None:
    before = sorted(root.rglob("*"))
    step = TakeOverHibernate(root)
    for changed in (True, False):
        context.changed = False
        step.apply(context)
        assert context.changed is changed
    service = (root / "etc/systemd/system/systemd-hibernate.service.d/50-khib.conf").read_text()
    assert "ExecStart=\nExecStart=/usr/local/sbin/khib hibernate --from-systemd\n" in service
    assert (
        "BYPASS_HIBERNATION_MEMORY_CHECK=1" in (root / "etc/systemd/system/systemd-logind.service.d/50-khib.conf").read_text()
    )
    assert "ExecStopPost=-/bin/sh -c 'echo 0 >/sys/fs/cgroup/user.slice/cgroup.freeze'\n" in service
    assert "AllowSuspendThenHibernate=no" in (root / "etc/systemd/sleep.conf.d/50-khib.conf").read_text()
    (back,) = desktop.remove(root)
    assert back == GiveHibernateBack(root)
    back.apply(context)
    left = [path for path in sorted(root.rglob("*")) if path not in before and path.is_file()]
    assert not left and desktop.remove(root) == [] and not list(root.glob("etc/systemd/system/*.d"))


def test_without_an_installed_khib_systemd_would_run_nothing(tmp_path: Path, context: Context) -> None:
    with pytest.raises(Refused) as caught:
        TakeOverHibernate(tmp_path).apply(context)
    assert caught.value.ident == "HIB-E-DESKTOP" and caught.value.hint == "run `khib install` first"


def test_only_who_chooses_it_has_it(choice_of: MakeChoice, tmp_path: Path) -> None:
    wanted = with_systemd(choice_of(desktop=True))
    assert TakeOverHibernate() in build.setup(wanted, tmp_path / "k")
    assert not desktop.steps(with_systemd(choice_of()), tmp_path) and not desktop.steps(choice_of(desktop=True), tmp_path)


def test_a_passphrase_that_nobody_can_type_is_refused_at_the_set_up(choice_of: MakeChoice) -> None:
    desktop.refuse_sealed(choice_of(desktop=True))
    desktop.refuse_sealed(choice_of(sealed=True))
    with pytest.raises(Refused) as caught:
        desktop.refuse_sealed(choice_of(desktop=True, sealed=True))
    assert caught.value.ident == "HIB-E-DESKTOP-SEAL"


def test_systemd_s_own_hooks_and_frozen_sessions_come_with_its_unit_only(choice_of: MakeChoice) -> None:
    choice = choice_of()
    by_hand, by_unit = (build.journey(choice, Mode.SAVE, from_systemd=given) for given in (False, True))
    assert by_unit[0] == RunHooks(SLEEP_HOOKS) and FreezeSessions() in by_unit
    assert FreezeSessions() not in by_hand and RunHooks(SLEEP_HOOKS) not in by_hand
