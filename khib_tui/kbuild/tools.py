"""What a build needs of the system, looked for before it begins."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from khib_tui import runner
from khib_tui.errors import CommandFailed, Refused
from khib_tui.i18n import _


class Tool(NamedTuple):
    """A program, or a file by its path from the root, and the package that has it."""

    name: str
    package: str


ALWAYS = (
    Tool("gcc", "gcc"), Tool("make", "make"), Tool("flex", "flex"), Tool("bison", "bison"), Tool("bc", "bc"),
    Tool("perl", "perl"), Tool("xz", "xz-utils"), Tool("tar", "tar"), Tool("dpkg-deb", "dpkg"),
    Tool("openssl", "openssl"), Tool("/usr/include/openssl/ssl.h", "libssl-dev"), Tool("/usr/include/libelf.h", "libelf-dev"),
)  # fmt: skip
TYPES = (Tool("pahole", "dwarves"),)
PACKAGES = (
    Tool("dpkg-buildpackage", "dpkg-dev"), Tool("fakeroot", "fakeroot"), Tool("rsync", "rsync"), Tool("cpio", "cpio"),
    Tool("depmod", "kmod"), Tool("dh_listpackages", "debhelper"),
)  # fmt: skip
_SIZE = re.compile(r"After this operation, (.*) of additional disk space will be used")


def needed(config: dict[str, str], *, whole: bool) -> list[Tool]:
    """Return what a build of this configuration needs."""
    types = TYPES if config.get("DEBUG_INFO_BTF") == "y" and not whole else ()
    return [*ALWAYS, *types, *(PACKAGES if whole else ())]


def missing(tools: list[Tool], root: Path = Path("/")) -> list[str]:
    """Return the packages that have what is not here."""
    path = runner.clean_env()["PATH"]
    there = {
        tool for tool in tools
        if ((root / tool.name[1:]).exists() if tool.name.startswith("/") else shutil.which(tool.name, path=path))
    }  # fmt: skip
    return list(dict.fromkeys(tool.package for tool in tools if tool not in there))


def refuse_missing(tools: list[Tool]) -> None:
    """See that all tools are here.

    :raises Refused: HIB-E-BUILD-TOOLS, with the command that installs the rest, and the room it takes.
    """
    packages = missing(tools)
    if packages:
        raise Refused(
            _("building a kernel needs {packages}{room}").format(packages=', '.join(packages), room=_room(packages)),
            hint=_("apt install {packages}").format(packages=' '.join(packages)), ident="HIB-E-BUILD-TOOLS",
        )  # fmt: skip


def _room(packages: list[str]) -> str:
    """Ask apt how much they take; it changes nothing, and may not know."""
    try:
        done = runner.run(["apt-get", "--option=Debug::NoLocking=1", "--assume-no", "install", *packages], check=False)
    except CommandFailed:
        return ""
    found = _SIZE.search(done.stdout)
    return f" ({found[1]})" if found else ""
