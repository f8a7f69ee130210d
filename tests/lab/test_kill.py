"""The process of B that saves is killed, by every kind of signal, at random moments: A is back every time."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator

import pytest

from khib_tui.events.types import Event, Failure, Result
from khib_tui.formats.cpio import Entry, archive
from khib_tui.image.header import State
from khib_tui.lab import disks
from khib_tui.lab.cycle import SETTINGS, Session
from khib_tui.lab.setup import Lab, prepare
from tests.kit import ROOT
from tests.kit.lab_kit import options, print_event, state_on

pytestmark = pytest.mark.lab

SIGNALS = (
    signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGBUS, signal.SIGABRT, signal.SIGHUP, signal.SIGINT, signal.SIGFPE,
    signal.SIGXCPU, signal.SIGQUIT, signal.SIGILL, signal.SIGUSR1,
)  # fmt: skip
CHOICES = "/var/tmp/kill.toml"
DIED = "HIB-E-SAVER-DIED"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A's one uptime."""
    lab = prepare(options(), tmp_path_factory.mktemp("lab"), print_event)
    arm(lab)
    made = Session(lab, print_event)
    made.boot_a()
    made.ask("fill", percent=70, shadow=lab.shadow)
    made.ask("remember", deep=False)
    yield made
    made.end()


def arm(lab: Lab) -> None:
    """Give B another first program."""
    init = Entry("init", 0o100755, (ROOT / "tests" / "lab" / "kill_init.py").read_bytes())
    initrd = disks.take_from_boot(lab.disk_a, "khib/initramfs.img", lab.directory / "initramfs.img")
    initrd.write_bytes(initrd.read_bytes() + archive([init]))
    disks.put_on_boot(lab.disk_a, {"khib/initramfs.img": initrd})


def at(session: Session, number: int, seconds: float) -> None:
    """Choose signal and moment: seconds after the worker was started."""
    script = f"""grep -v ^options {SETTINGS} >{CHOICES}; echo 'options = "lab.kill={number}@{seconds:.2f}"' >>{CHOICES}"""
    session.program("sh", "-c", script)
    session.settings = CHOICES


def killed(session: Session, *words: str) -> str:
    """Run a journey whose worker is killed; give the identifier of its failure, empty if it ended well before."""
    code, events = session.run(*words)
    failures = [event for event in events if isinstance(event, Failure)]
    assert (code == 0) is not bool(failures), (code, events)
    assert session.read("/sys/kernel/kexec_loaded").strip() == "0"
    assert state_on(session.lab.disk_target) in (State.PARTIAL, State.ABANDONED)
    answer = session.ask("check", deep=False)
    assert answer["intact"], answer
    return failures[0].ident if failures else ""


def duration(session: Session) -> float:
    """Seconds that a worker takes for a rehearsal which nobody ends."""
    at(session, 0, 0)
    code, events = session.run("rehearse", "--save")
    result: Event = events[-1]
    assert code == 0 and isinstance(result, Result)
    return float(result.data["save_seconds"])


@pytest.mark.parametrize("moments", [3, pytest.param(50, marks=pytest.mark.long)])
def test_the_system_is_back_whatever_signal_ends_the_saver(session: Session, moments: int) -> None:
    length, noise = duration(session), random.Random(moments)
    died: list[str] = []
    for number in range(moments):
        which = SIGNALS[number % len(SIGNALS)] if moments > 3 else SIGNALS[number]
        moment = noise.uniform(0.2, length)
        at(session, which, moment)
        died.append(killed(session, "rehearse", "--save"))
        print(f"{number + 1} of {moments}: {which.name} after {moment:.1f} s: {died[-1] or 'it had ended before'}")
    assert died.count(DIED) * 2 > moments, died


def test_a_hibernation_whose_saver_dies_ends_in_a(session: Session) -> None:
    at(session, signal.SIGKILL, 0.5)
    assert killed(session, "hibernate") == DIED
    assert "SIGKILL" in session.reason()


def test_the_system_is_sound_at_the_end(session: Session) -> None:
    clean, text = session.power_off()
    assert clean, text
