"""`systemctl hibernate`, the lid and the power menu: systemd is told to hibernate with khib, by drop-ins."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from khib_tui import files, runner
from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed, Refused
from khib_tui.events.types import Level, Message
from khib_tui.i18n import _
from khib_tui.plan import program
from khib_tui.plan.around import SLICE
from khib_tui.plan.step import Action, Context

ROOT = Path("/")
_MARK = "# Written by `khib setup`, because `desktop` is chosen in khib.toml.\n"
_UNITS = "etc/systemd/system"
_SERVICE, _LOGIND = f"{_UNITS}/systemd-hibernate.service.d", f"{_UNITS}/systemd-logind.service.d"
_SLEEP = "etc/systemd/sleep.conf.d"
_NAME = "50-khib.conf"


def drop_ins(command: Path) -> dict[str, str]:
    """Return the drop-ins by their path: what hibernates, that logind asks for no swap, and what is not offered then."""
    thaw = f"/bin/sh -c 'echo 0 >{SLICE}/cgroup.freeze'"
    return {
        f"{_SERVICE}/{_NAME}": f"{_MARK}[Service]\nExecStart=\nExecStart={command} hibernate --from-systemd\n"
        f"# should khib have been killed while sessions were frozen\nExecStopPost=-{thaw}\n",
        f"{_LOGIND}/{_NAME}": f"{_MARK}[Service]\nEnvironment=SYSTEMD_BYPASS_HIBERNATION_MEMORY_CHECK=1\n",
        # both would be the kernel's own hibernation still, and nobody asks any more whether it has the room
        f"{_SLEEP}/{_NAME}": f"{_MARK}[Sleep]\nAllowHybridSleep=no\nAllowSuspendThenHibernate=no\n",
    }


def steps(choice: Choice, root: Path = ROOT) -> list[Action]:
    """Return the step of the set-up: hibernating is khib's, or systemd's own again."""
    if choice.settings.desktop and choice.machine.systemd:
        return [TakeOverHibernate(root)]
    return remove(root)


def remove(root: Path = ROOT) -> list[Action]:
    """Return the step that gives it back, if khib has it."""
    return [GiveHibernateBack(root)] if any((root / path).exists() for path in drop_ins(Path())) else []


def refuse_sealed(choice: Choice) -> None:
    """Refuse what nobody could type a passphrase for.

    :raises Refused: HIB-E-DESKTOP-SEAL.
    """
    if choice.settings.desktop and choice.sealed:
        raise Refused(
            _("images are sealed, and `systemctl hibernate`, the lid and the power menu cannot ask for the passphrase"),
            hint=_("let `desktop` be false in the settings, or leave images unsealed (`khib seal --off`)"),
            ident="HIB-E-DESKTOP-SEAL",
        )


class TakeOverHibernate(Struct, frozen=True):
    """Write the drop-ins."""

    root: Path = ROOT

    def describe(self) -> str:
        """Return what hibernates with khib then."""
        return _("let `systemctl hibernate`, the lid and the power menu hibernate with khib")

    def apply(self, context: Context) -> None:
        """Write what differs.

        :raises Refused: HIB-E-DESKTOP, khib is not installed where systemd could run it.
        """
        command = program.command()
        if not (self.root / command.relative_to("/")).exists():
            raise Refused(
                _("{command} is not there").format(command=command), hint=_("run `khib install` first"), ident="HIB-E-DESKTOP"
            )
        for path, text in drop_ins(command).items():
            there = self.root / path
            if not there.exists() or there.read_text() != text:
                there.parent.mkdir(parents=True, exist_ok=True)
                files.write(there, text.encode(), files.PUBLIC)
                context.changed = True
        reload(self.root, context)


class GiveHibernateBack(Struct, frozen=True):
    """Take the drop-ins away."""

    root: Path = ROOT

    def describe(self) -> str:
        """Return what becomes of it."""
        return _("let `systemctl hibernate`, the lid and the power menu be systemd's own again")

    def apply(self, context: Context) -> None:
        """Take away what is there."""
        for path in drop_ins(Path()):
            context.changed |= files.remove(self.root / path)
            with suppress(OSError):
                (self.root / path).parent.rmdir()
        reload(self.root, context)


def reload(root: Path, context: Context) -> None:
    """Let systemd read its units again, and logind its environment; sessions go on."""
    if root != ROOT:
        return
    for words in (["systemctl", "daemon-reload"], ["systemctl", "try-restart", "systemd-logind.service"]):
        try:
            runner.run(words)
        except CommandFailed as error:
            context.sink(Message(_("{message}: it counts from the next start on").format(message=error.message), Level.WARNING))
