"""Keeping logind from sending this system elsewhere while it goes away: by the lid, a key, idleness, a shutdown."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec import Struct

from khib_tui import runner
from khib_tui.errors import KhibError
from khib_tui.events.types import Level, Message
from khib_tui.i18n import _
from khib_tui.plan.step import Context

WHAT = ("shutdown", "idle", "handle-power-key", "handle-suspend-key", "handle-hibernate-key", "handle-lid-switch")
SLEEP = "sleep"
_HELD = b"held\n"


class Inhibit(Struct, frozen=True):
    """Hold logind's locks until this system is back.

    :param sleep: that of sleeping too; logind gives it to nobody while it sends the system to sleep itself.
    """

    sleep: bool = True

    @property
    def what(self) -> str:
        """The locks, as systemd-inhibit takes them."""
        return ":".join((*WHAT, SLEEP) if self.sleep else WHAT)

    def describe(self) -> str:
        """Describe the step."""
        return _("let neither lid nor key nor idleness shut this system down or put it to sleep until it is back")

    def apply(self, context: Context) -> None:
        """Take them; a system whose logind gives none is no reason to stay."""
        words = ["systemd-inhibit", "--mode=block", f"--what={self.what}", "--who=khib", "--why=this system hibernates"]
        try:
            # `cat` says what it is told, so it runs, so the locks are held; its end lets them go
            holder = runner.spawn([*words, "cat"], stdin=-1, stdout=-1, process_group=0)
        except KhibError as error:
            context.sink(Message(_("lid and keys are not held back: {message}").format(message=error.message), Level.WARNING))
            return
        context.held.callback(_end, holder)
        if not _holds(holder):
            context.sink(Message(_("lid and keys are not held back: logind does not give its locks"), Level.WARNING))


def _holds(holder: Any) -> bool:
    with suppress(BrokenPipeError):
        holder.stdin.write(_HELD)
        holder.stdin.flush()
    return bool(holder.stdout.readline() == _HELD)


def _end(holder: Any) -> None:
    holder.stdout.close()
    with suppress(BrokenPipeError):
        holder.stdin.close()
    holder.terminate()
    holder.wait()
