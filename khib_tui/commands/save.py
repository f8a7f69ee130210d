"""What B runs, and what can be typed in its shell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeVar, cast

from khib_tui import present
from khib_tui.errors import CommandFailed, Refused
from khib_tui.events.sinks import PlainSink, quiet
from khib_tui.events.types import Sink
from khib_tui.handover import handover
from khib_tui.i18n import _
from khib_tui.jump.back import jump
from khib_tui.present import use_screens, with_events
from khib_tui.saver import farewell, fate
from khib_tui.saver import run as kernel_b
from khib_tui.saver.base import found
from khib_tui.saver.fate import Byte, Fate
from khib_tui.saver.leave import leave_machine

if TYPE_CHECKING:
    from argparse import Namespace

T = TypeVar("T")


def save(byte: Byte, plain: bool) -> None:
    """In B: do what A handed over, and leave the machine if A sleeps; whatever else is left to do is PID 1's.

    :raises KhibError: this kernel was not entered from A.
    """
    base = patiently(lambda: found(handover.receive(), byte))
    arguments = cast("Namespace", SimpleNamespace(json=False, plain=plain or base.handover.plain))
    told = with_events(quiet if use_screens(arguments) else PlainSink(), base.handover.events)
    kernel_b.run(base, lambda title, work: present.show(arguments, told, title, work))
    if byte.now is Fate.SLEEPS:
        farewell.show(base.handover, clear=use_screens(arguments))
        leave_machine(byte)


def patiently(find: Callable[[], T], tries: int = 3) -> T:
    """Find something without which A is lost; not only once.

    :raises Exception: why it is not to be had.
    """
    for _turn in range(tries - 1):
        with suppress(Exception):
            return find()
    return find()


def back(arguments: Namespace, sink: Sink) -> int:
    """In B's shell: go back to the running system. Returns only by raising.

    :raises Refused: this is not B, or A must not go on.
    :raises KhibError: the jump is impossible.
    """
    if not fate.PLACE.exists():
        text = _("there is no running system to go back to: this is for the shell of the saver")
        raise Refused(text, ident="HIB-E-NO-WAY-BACK")
    base = found(handover.receive(), Byte(fate.PLACE))
    if base.fate.now is not Fate.RUNS_ON:
        raise Refused(_("the running system must not go on: its image may be resumed"), ident="HIB-E-NO-WAY-BACK")
    base.load()
    jump()
    raise CommandFailed(_("the jump returned"), ident="HIB-E-JUMP")
