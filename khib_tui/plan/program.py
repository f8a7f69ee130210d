"""Installing khib itself where root finds it, and taking it away: one folder, and a few files that lead to it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from khib_tui import files
from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.initramfs.pyfiles import interpreter
from khib_tui.plan.step import Action, Context

PREFIX = Path("/usr/local")
_WRAPPER = """#!/bin/sh
# Written by `khib install`, taken away by `khib install --remove`.
if [ ! -x {python} ]; then
	echo "khib: {python}, which it was installed for, is gone: install it again" >&2
	exit 1
fi
exec {python} -I {folder} "$@"
"""


def folder(prefix: Path = PREFIX) -> Path:
    """Return where the program lies."""
    return prefix / "lib/khib"


def command(prefix: Path = PREFIX) -> Path:
    """Return what is on the PATH."""
    return prefix / "sbin/khib"


def install(prefix: Path = PREFIX) -> list[Action]:
    """Return the steps that install this very program."""
    return [CopyProgram(folder(prefix)), WriteCommand(command(prefix), folder(prefix))]


def remove(prefix: Path = PREFIX) -> list[Action]:
    """Return the steps that take it away; none if it is not there."""
    there = [path for path in (command(prefix), folder(prefix)) if path.exists()]
    return [RemoveProgram(tuple(there))] if there else []


class CopyProgram(Struct, frozen=True):
    """Copy the program, with all that it needs but Python; a former one is there until the new one is whole."""

    folder: Path

    def describe(self) -> str:
        """Return what goes where."""
        return _("copy khib and its libraries to {folder}").format(folder=self.folder)

    def apply(self, context: Context) -> None:
        """Copy it beside, and put it in its place.

        :raises Refused: this is what lies there.
        """
        if Path(__file__).is_relative_to(self.folder):
            raise Refused(
                _("this is the khib that is installed"), hint=_("run it from where it comes from"), ident="HIB-E-INSTALL"
            )
        from khib_tui.program import tree  # slow, and only here needed

        beside, old = self.folder.with_name(".khib.new"), self.folder.with_name(".khib.old")
        for left in (beside, old):
            shutil.rmtree(left, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            tree.copy_program(beside, self.folder)
            readable(beside)
            context.changed = True
            with suppress(FileNotFoundError):
                self.folder.rename(old)
            beside.rename(self.folder)
        finally:
            for left in (beside, old):
                shutil.rmtree(left, ignore_errors=True)


def readable(top: Path) -> None:
    """Let everybody read what root has copied, and nobody else write it."""
    for path in (top, *top.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)


class WriteCommand(Struct, frozen=True):
    """Write what is typed: it runs the copy with the Python that it was made for, and nothing of the user's."""

    path: Path
    folder: Path

    def describe(self) -> str:
        """Return what can be typed then."""
        return _("write {path}, so that `khib` is a command of root's").format(path=self.path)

    def apply(self, context: Context) -> None:
        """Write it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = _WRAPPER.format(python=interpreter(), folder=self.folder)
        files.write(self.path, text.encode(), 0o755)
        context.changed = True


class RemoveProgram(Struct, frozen=True):
    """Take the program away."""

    paths: tuple[Path, ...]

    def describe(self) -> str:
        """Return what is removed."""
        return _("remove {paths}").format(paths=_(" and ").join(map(str, self.paths)))

    def apply(self, context: Context) -> None:
        """Remove it."""
        for path in self.paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                files.remove(path)
            context.changed = True
