"""The kernel's own build: its configuration, its objects."""

from __future__ import annotations

import re
from collections.abc import Sequence

from khib_tui import files, runner
from khib_tui.errors import CommandFailed
from khib_tui.events.follow import follow
from khib_tui.events.types import Sink, StageName
from khib_tui.i18n import _
from khib_tui.kbuild import config
from khib_tui.kbuild.config import Change
from khib_tui.kbuild.work import OBJECT_LINE, Work

# What takes long at the end, and compiles nothing.
LINK_LINE = re.compile(r"\s+(LD|BTF|KSYMS|OBJCOPY|XZKERN|ZSTD\d*|LZ4|GZIP|MODPOST|INSTALL)\s+\S*(vmlinux|bzImage|symvers)\S*$")
# Objects for each option that is built in or a module, measured with Debian's 6.1.
_BUILT_IN, _MODULE = 1.5, 4.0


def configure(work: Work, wanted: Sequence[Change]) -> list[str]:
    """Write the tree's configuration; what was compiled by the same one stays good.

    :returns: what else came out other than the distribution has it.
    :raises CommandFailed: HIB-E-BUILD-CONFIG, this source does not take a change.
    """
    path = work.tree / ".config"
    files.write(path, config.changed(work.stock.text, wanted).encode(), files.PUBLIC)
    runner.run([*_make(work), "olddefconfig"], cwd=work.tree)
    made = path.read_text()
    if lost := config.lost(made, wanted):
        raise CommandFailed(
            _("this source does not take {options}").format(options=', '.join(lost)),
            hint=_("what these options depend on is off in the kernel's configuration"), ident="HIB-E-BUILD-CONFIG",
        )  # fmt: skip
    return config.moved(work.stock.text, made, wanted)


def compile_one(work: Work, target: str) -> str:
    """Compile one object, and what the whole build begins with; gives what the build has noted of it.

    :raises CommandFailed: it failed.
    """
    runner.run([*_make(work), f"-j{work.jobs}", target], cwd=work.tree)
    path = work.tree / target
    return path.with_name(f".{path.name}.cmd").read_text(errors="replace")


def compile_all(work: Work, sink: Sink) -> int:
    """Build the kernel, or with its modules the packages too; goes on where an interrupted build was.

    :returns: how many objects were compiled, in all runs.
    :raises CommandFailed: HIB-E-BUILD, it failed; the hint names the log.
    """
    goal = "bindeb-pkg" if work.whole else "bzImage"
    words = [*_make(work), f"-j{work.jobs}", f"KDEB_PKGVERSION={work.stock.version}+khib1", goal]
    return follow(
        sink, StageName.KERNEL, words, counts=OBJECT_LINE, expected=expected(work), unit="objects", log=work.log,
        cwd=work.tree, before=work.compiled, notes=LINK_LINE,
    )  # fmt: skip


def expected(work: Work) -> int:
    """Return about how many objects there will be."""
    values = list(work.stock.config.values())
    return round(_BUILT_IN * values.count("y") + (_MODULE * values.count("m") if work.whole else 0))


def _make(work: Work) -> list[str]:
    """Return the words of every make here; with others, all would be compiled again."""
    return ["make", "LOCALVERSION=", f"KERNELRELEASE={work.stock.ours}"]
