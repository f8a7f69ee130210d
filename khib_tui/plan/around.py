"""What a system does around a hibernation besides the jump: hooks, frozen sessions, drivers that want to be told."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

from khib_tui import runner
from khib_tui.errors import KhibError
from khib_tui.events.types import Level, Message
from khib_tui.i18n import _
from khib_tui.plan.step import Context

HOOKS = Path("/etc/khib/hooks.d")
SLEEP_HOOKS = (Path("/etc/systemd/system-sleep"), Path("/usr/lib/systemd/system-sleep"))
SLICE = Path("/sys/fs/cgroup/user.slice")
SNAPSHOT = Path("/dev/snapshot")
NVIDIA = Path("/proc/driver/nvidia/suspend")
PATIENCE = 90.0
_FREEZING = 5.0


class RunHooks(Struct, frozen=True):
    """Run the programs of some folders before, and again once this system is back, whatever becomes of the journey.

    :param folders: of an equal name, that of the first folder counts.
    """

    folders: tuple[Path, ...]

    def programs(self) -> list[Path]:
        """Return them in the order of their names."""
        named: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.glob("*")) if folder.is_dir() else []:
                if path.is_file() and os.access(path, os.X_OK):
                    named.setdefault(path.name, path)
        return [named[name] for name in sorted(named)]

    def describe(self) -> str:
        """Return what is run."""
        found = ", ".join(path.name for path in self.programs()) or _("none is there")
        return _("run the hooks in {folders}, now and when this system is back: {found}").format(
            folders=_(" and ").join(map(str, self.folders)), found=found
        )

    def apply(self, context: Context) -> None:
        """Run them; one that fails is told, and does not matter."""
        programs = self.programs()
        context.held.callback(run_all, programs, "post", context)
        run_all(programs, "pre", context)


def run_all(programs: list[Path], when: str, context: Context) -> None:
    """Run hooks with `pre` or `post` and `hibernate`, as systemd-sleep does."""
    for path in programs:
        # a file, for what a hook leaves running may keep a pipe open
        with tempfile.TemporaryFile("w+", errors="replace") as log:
            try:
                runner.run([path, when, "hibernate"], env={"SYSTEMD_SLEEP_ACTION": "hibernate"}, timeout=PATIENCE, log=log)
            except (KhibError, OSError) as error:
                reason = error.message if isinstance(error, KhibError) else error.strerror
                context.sink(Message(f"{path} {when}: {reason}{_last_line(log)}", Level.WARNING))


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    lines = log.read().split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1]}" if said else ""


class FreezeSessions(Struct, frozen=True):
    """Freeze what users run until this system is back and all hooks have run, so that nothing of it moves before.

    It comes after the write-back: a filesystem that a user's program serves would answer no more.
    """

    slice: Path = SLICE

    def describe(self) -> str:
        """Describe the step."""
        return _("freeze the users' sessions until this system is back")

    def apply(self, context: Context) -> None:
        """Freeze them; never the one that this runs in."""
        control = self.slice / "cgroup.freeze"
        if not control.exists() or "/user.slice" in Path("/proc/self/cgroup").read_text():
            context.sink(Message(_("sessions are not frozen: this is one of them, or there are none"), Level.WARNING))
            return
        context.last.callback(self.thaw, context)
        control.write_text("1")
        until = time.monotonic() + _FREEZING
        while "frozen 1" not in (self.slice / "cgroup.events").read_text():
            if time.monotonic() > until:
                context.sink(Message(_("the users' sessions could not be frozen; that does no harm"), Level.WARNING))
                return
            time.sleep(0.05)

    def thaw(self, context: Context) -> None:
        """Let them go on."""
        try:
            (self.slice / "cgroup.freeze").write_text("0")
        except OSError as error:
            context.sink(
                Message(_("the users' sessions are still frozen: {strerror}").format(strerror=error.strerror), Level.ERROR)
            )


class TellDrivers(Struct, frozen=True):
    """Tell drivers of a hibernation as the kernel's own does: a jump alone runs none of what they have registered for it.

    Whoever has /dev/snapshot open for reading is about to hibernate, the kernel thinks (kernel/power/user.c).
    """

    def describe(self) -> str:
        """Describe the step."""
        return _("tell drivers of the hibernation, and of its end when this system is back")

    def apply(self, context: Context) -> None:
        """Tell them; a kernel that has no such thing is no reason to stay."""
        try:
            fd = os.open(SNAPSHOT, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            context.sink(
                Message(
                    _("drivers are not told of the hibernation: {snapshot}: {strerror}").format(
                        snapshot=SNAPSHOT, strerror=error.strerror
                    )
                )
            )
        else:
            context.held.callback(os.close, fd)
        if NVIDIA.exists():
            context.held.callback(_put, NVIDIA, "resume", context)
            _put(NVIDIA, "hibernate", context)


def _put(path: Path, text: str, context: Context) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        context.sink(Message(f"{path}: {error.strerror}", Level.WARNING))


def users(run: Path = Path("/run/user")) -> Iterator[tuple[int, Path]]:
    """Yield the number of each user with a session bus, and the bus."""
    for folder in sorted(run.glob("*")) if run.is_dir() else []:
        if folder.name.isdigit() and (folder / "bus").exists():
            yield int(folder.name), folder / "bus"


def tell_desktops(text: str, command: Callable[..., object] = runner.run) -> None:
    """Show users why their system did not hibernate: on their terminals, and on their desktops where there is notify-send."""
    with suppress(KhibError):
        command(["wall", _("khib: not hibernated: {text}").format(text=text)])
    for number, bus in users():
        with suppress(KhibError):
            command([
                "setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups",
                "env", f"DBUS_SESSION_BUS_ADDRESS=unix:path={bus}",
                "notify-send", "--urgency=critical", _("khib: not hibernated"), text,
            ])  # fmt: skip
