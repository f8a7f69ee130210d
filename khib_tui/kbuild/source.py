"""The source of a distribution's kernel: its package is downloaded and taken apart, never installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from khib_tui import files, runner
from khib_tui.errors import CommandFailed
from khib_tui.i18n import _
from khib_tui.kbuild.stock import Stock
from khib_tui.kbuild.work import Work

INSTALLED = Path("/usr/src")


def archive(work: Work, installed: Path = INSTALLED) -> Path | None:
    """Return the archive that is here: downloaded before, or installed in the kernel's own version."""
    found = sorted(work.source.glob(f"{work.stock.package}.tar.*"))
    if found:
        return found[0]
    there = sorted(installed.glob(f"{work.stock.package}.tar.*"))
    return there[0] if there and _installed_version(work.stock.package) == work.stock.version else None


def fetch(work: Work) -> None:
    """Download the package with the source by apt, and take the archive out.

    :raises CommandFailed: HIB-E-BUILD-SOURCE, apt has no such version.
    """
    stock, folder = work.stock, work.folder / "download"
    shutil.rmtree(folder, ignore_errors=True)
    files.folder(folder)
    wanted = f"{stock.package}={stock.version}"
    try:
        runner.run(["apt-get", "--quiet", "download", wanted], cwd=folder)
    except CommandFailed as error:
        raise CommandFailed(
            _("apt cannot download {wanted}: {message}").format(wanted=wanted, message=error.message),
            hint=_other_way(stock),
            ident="HIB-E-BUILD-SOURCE",
        ) from error
    (package,) = folder.glob("*.deb")
    runner.run(["dpkg-deb", "--extract", package, folder])
    (found,) = (folder / "usr/src").glob(f"{stock.package}.tar.*")
    files.folder(work.source)
    found.rename(work.source / found.name)
    shutil.rmtree(folder)


def unpack(work: Work, source: Path) -> None:
    """Unpack the archive; the tree appears when it is whole.

    :raises CommandFailed: it is damaged, or there is no room.
    """
    part = files.partial(work.tree)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    runner.run(["tar", "--extract", "--file", source.resolve(), "--directory", part, "--strip-components=1"])
    part.rename(work.tree)


def _other_way(stock: Stock) -> str:
    return _(
        "run `apt update`; if the version {version} of the running kernel is no longer offered, install the "
        "newest kernel, restart into it, and try again"
    ).format(version=stock.version)


def _installed_version(package: str) -> str:
    return runner.run(["dpkg-query", "--show", "--showformat=${Version}", package], check=False).stdout.strip()
