"""`khib kernels build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from khib_tui import files
from khib_tui.commands import foreign
from khib_tui.commands.common import show_plan
from khib_tui.errors import CommandFailed, Exit
from khib_tui.events.types import Message, Result, Sink
from khib_tui.i18n import _
from khib_tui.kbuild import deb, tools
from khib_tui.kbuild.stock import Stock, identify
from khib_tui.kbuild.work import Work, refuse_little_room
from khib_tui.plan import kernelbuild
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Context

if TYPE_CHECKING:
    from argparse import Namespace


def build(arguments: Namespace, sink: Sink) -> int:
    """Build the distribution's kernel with KEXEC_JUMP as packages; the system stays as it is.

    :raises Refused: it is no kernel of Debian, or room or tools are missing.
    """
    foreign.refuse_steps(arguments)
    stock = identify(Path(arguments.kernel or f"/boot/vmlinuz-{os.uname().release}"))
    work = work_of(arguments, stock)
    sink(Message(why(work)))
    sink(Message(refuse_little_room(work)))
    tools.refuse_missing(tools.needed(stock.config, whole=work.whole))
    actions = kernelbuild.steps(work)
    if arguments.dry_run:
        show_plan(actions, sink)
        return Exit.OK
    execute(actions, Context(sink), sink)
    packages = [str(path) for path in deb.built(work)]
    if not packages:
        raise CommandFailed(
            _("no package came of it in {folder}").format(folder=work.folder),
            hint=_("see {log}").format(log=work.log),
            ident="HIB-E-BUILD",
        )
    sink(Result("kernels build", True, told(work, packages), {"packages": packages, "release": stock.ours}))
    return Exit.OK


def work_of(arguments: Namespace, stock: Stock) -> Work:
    """Return where and how it is built."""
    whole = arguments.whole or not stock.modules_fit
    top = arguments.into.absolute() if arguments.into else files.cache_dir() / "kernels"
    folder = top / (f"{stock.ours}-whole" if whole else stock.ours)
    return Work(stock, folder, whole, arguments.jobs or len(os.sched_getaffinity(0)))


def why(work: Work) -> str:
    """Say what is going to be built."""
    release = work.stock.release
    if not work.whole:
        return _("the kernel {release} alone is built anew: it takes the modules that are installed").format(release=release)
    if work.stock.modules_fit:
        return _("the kernel {release} is built anew with all its modules, as you asked").format(release=release)
    return _(
        "the kernel {release} is built anew with all its modules, for those of the distribution fit no other kernel"
    ).format(release=release)


def told(work: Work, packages: list[str]) -> str:
    """Say what to do with the packages."""
    return _(
        "nothing of this system has changed yet; as root, install and restart:\n  apt install {packages}\nthen "
        "choose Linux {ours} in the boot menu, and run `khib check`.\n{folder} is needed no more once it is "
        "installed"
    ).format(packages=" ".join(packages), ours=work.stock.ours, folder=work.folder)
