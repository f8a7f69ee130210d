"""Kernels as a distribution ships them, for B and C: fetched as packages, unpacked into the cache, never installed here."""

from __future__ import annotations

import getpass
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from khib_tui import runner
from khib_tui.errors import CommandFailed
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.lab.build.apt import debian_mirror, host_suite
from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.lab.build.kernel import MODULES, GuestKernel

SUITES = {"debian-12": "bookworm", "debian-13": "trixie", "newest": "sid"}
META = "linux-image-amd64"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A's disk is small, and nothing in these reaches a disk, a keyboard or a screen.
# `NETWORK` are those of the lab's own card, for a machine that has one.
NETWORK = ("virtio_net", "net_failover")
LEFT_OUT = ("sound", *(f"drivers/{name}" for name in ("net", "media", "staging", "infiniband", "iio", "isdn")))
_IMAGE = re.compile(r"\blinux-image-(\d\S*-amd64)\b")


def stock_kernel(sink: Sink, name: str, *, network: bool = False) -> GuestKernel:
    """Return the newest kernel of a suite, fetching it first if the cache has none of that suite.

    :param name: one of `SUITES`.
    :param network: with the drivers of the lab's network card.
    :raises CommandFailed: no mirror has it, or the host lacks `dpkg-deb` or `depmod`.
    """
    kept = NETWORK if network else ()
    made = entry(
        f"stock-{name}-{digest_of(*LEFT_OUT, *kept)}", lambda work: _fetch(sink, SUITES[name], work, kept),
        lambda: sink(Message("waiting for another khib that is fetching the kernel")),
    )  # fmt: skip
    release = (made / "release").read_text()
    return GuestKernel(made / "bzImage", made / "config", release, made / MODULES / release)


def _fetch(sink: Sink, suite: str, work: Path, kept: Sequence[str]) -> None:
    started = time.monotonic()
    sink(Stage(StageName.LAB_KERNEL, Status.STARTED, f"fetching the kernel of {suite}, once"))
    tree = work / "tree"
    tree.mkdir()
    try:
        release = _download(PrivateApt(work / "apt", suite), tree)
        _keep(tree, work, release, kept)
    except CommandFailed as error:
        sink(Stage(StageName.LAB_KERNEL, Status.FAILED, error.message))
        raise
    shutil.rmtree(tree)
    shutil.rmtree(work / "apt")
    sink(Stage(StageName.LAB_KERNEL, Status.DONE, f"{release} of {suite}", time.monotonic() - started))


class PrivateApt:
    """apt with lists and sources of its own, in a folder: the system's are not touched."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder = folder
        (folder / "lists/partial").mkdir(parents=True)
        (folder / "cache/archives/partial").mkdir(parents=True)
        mirror = debian_mirror(host_suite())
        (folder / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n")
        self.run("apt-get", "update")

    def run(self, program: str, *words: str) -> str:
        """Run `apt-get` or `apt-cache`; return what it printed.

        :raises CommandFailed: it failed.
        """
        places = {
            "Dir::Etc::SourceList": self.folder / "sources.list", "Dir::Etc::SourceParts": "-",
            "Dir::State::Lists": self.folder / "lists", "Dir::Cache": self.folder / "cache", "Dir::State::status": "/dev/null",
            "APT::Sandbox::User": getpass.getuser(), "Acquire::Languages": "none",
        }  # fmt: skip
        options = [word for key, value in places.items() for word in ("-o", f"{key}={value}")]
        return runner.run([program, "--quiet", *options, *words], cwd=self.folder).stdout


def _download(apt: PrivateApt, tree: Path) -> str:
    """Unpack the packages of the newest kernel; return its release."""
    release = newest_release(apt.run("apt-cache", "show", META))
    shown = apt.run("apt-cache", "show", f"linux-image-{release}")
    apt.run("apt-get", "download", *parts(shown, release))
    for package in apt.folder.glob("*.deb"):
        runner.run(["dpkg-deb", "--extract", package, tree])
        package.unlink()
    return release


def newer_grub(sink: Sink, name: str) -> Path:
    """Return a folder with `grubx64.efi` and `modules/` of a suite's GRUB for UEFI, fetched once.

    :param name: one of `SUITES`.
    :raises CommandFailed: no mirror has it.
    """
    return entry(
        f"grub-{name}", lambda work: _fetch_grub(work, SUITES[name]),
        lambda: sink(Message("waiting for another khib that is fetching GRUB")),
    )  # fmt: skip


def _fetch_grub(work: Path, suite: str) -> None:
    apt, tree = PrivateApt(work / "apt", suite), work / "tree"
    apt.run("apt-get", "download", "grub-efi-amd64-bin", "grub-efi-amd64-unsigned")
    for package in apt.folder.glob("*.deb"):
        runner.run(["dpkg-deb", "--extract", package, tree])
    found = tree / "usr/lib/grub/x86_64-efi"
    shutil.move(found / "monolithic/grubx64.efi", work / "grubx64.efi")
    shutil.rmtree(found / "monolithic")
    shutil.move(found, work / "modules")
    shutil.rmtree(tree)
    shutil.rmtree(apt.folder)


def newest_release(shown: str) -> str:
    """Return the release that the metapackage depends on.

    :param shown: what apt-cache tells of it, the newest version first.
    :raises CommandFailed: it depends on no kernel.
    """
    found = _IMAGE.search(shown)
    if found:
        return found[1]
    raise CommandFailed(f"{META} depends on no kernel", hint="choose another suite", ident="HIB-E-SUITE")


def parts(shown: str, release: str) -> Sequence[str]:
    """Return the packages that a kernel is in: one up to Debian 13, later several of the same release."""
    needed = re.findall(rf"\blinux-(?:base|binary|modules)-{re.escape(release)}(?=[\s,]|$)", shown)
    return [f"linux-image-{release}", *dict.fromkeys(needed)]


def _keep(tree: Path, work: Path, release: str, spared: Sequence[str]) -> None:
    """Take kernel, configuration and modules out of the unpacked packages, and index the modules as installing does."""
    modules = next(path for path in (tree / "lib/modules", tree / "usr/lib/modules") if (path / release / "kernel").is_dir())
    for name, kept in (("vmlinuz", "bzImage"), ("config", "config")):
        shutil.move(_first(tree / "boot" / f"{name}-{release}", modules / release / name), work / kept)
    for name in LEFT_OUT:
        drop(modules / release / "kernel" / name, spared)
    (work / "lib").mkdir()
    shutil.move(modules, work / MODULES)
    runner.run(["depmod", "--basedir", work, release])
    (work / "release").write_text(release)


def drop(folder: Path, kept: Sequence[str]) -> None:
    """Remove a folder of modules, but for those of some names."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.name.partition(".ko")[0] not in kept:
            path.unlink()


def _first(*paths: Path) -> Path:
    return next(path for path in paths if path.is_file())
