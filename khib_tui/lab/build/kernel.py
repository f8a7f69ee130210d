"""The kernel of the lab: the distribution's source with a small configuration that can jump."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.events.follow import follow
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.files import cache_dir
from khib_tui.kbuild.work import OBJECT_LINE
from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.runner import run

FRAGMENT = Path(__file__).with_name("kernel.config")
DISK_FRAGMENT = FRAGMENT.with_name("disk.config")
LISTENER = FRAGMENT.with_name("listener.c")
DISK_PARTS = (DISK_FRAGMENT, LISTENER)
SOURCES = Path("/usr/src")
MODULES = "lib/modules"
OPTIONAL = "# optional:"
OBJECTS = 1860  # compiled by a build of 6.1; 7.2 has a tenth more
SETTING = re.compile(r"^(?:# )?(CONFIG_\w+)(?:=.*| is not set)$", re.MULTILINE)
ENDS = 1 << 16


@dataclass(frozen=True)
class GuestKernel:
    """A built kernel: its image, its configuration, its release as `uname -r` gives it, and its /lib/modules/RELEASE."""

    bzimage: Path
    config: Path
    release: str
    modules: Path


def guest_kernel(sink: Sink, source: Path | None = None, jobs: int | None = None, more: Sequence[Path] = ()) -> GuestKernel:
    """Return the lab's kernel, building it first if it is not in the cache.

    :param source: a `linux-source-*.tar.*`; the newest one the distribution has installed if not given.
    :param jobs: how many compilers run at once; one for each processor if not given.
    :param more: fragments whose settings override the lab's own, and sources of modules; with them it is another kernel.
    :raises CommandFailed: there is no source, or it cannot be built.
    """
    source = source or newest_source()
    made = entry(
        _entry_name(source, more),
        lambda work: _build(sink, source, jobs or os.cpu_count() or 1, work, more),
        lambda: sink(Message("waiting for another khib that is building the kernel")),
    )
    release = (made / "release").read_text().strip()
    return GuestKernel(made / "bzImage", made / "config", release, made / MODULES / release)


def is_kernel_built(source: Path | None = None, more: Sequence[Path] = ()) -> bool:
    """Return whether the cache has the lab's kernel.

    :param source: as for `guest_kernel`, and so is `more`.
    :raises CommandFailed: there is no source.
    """
    return (cache_dir() / _entry_name(source or newest_source(), more)).is_dir()


def _entry_name(source: Path, more: Sequence[Path]) -> str:
    return f"kernel-{source_key(source, more)}"


def newest_source(directory: Path = SOURCES) -> Path:
    """Find the newest kernel source that is installed.

    :raises CommandFailed: there is none.
    """
    found = sorted(directory.glob("linux-source-*.tar.*"), key=lambda path: _version(path.name))
    if found:
        return found[-1]
    raise CommandFailed(
        "the source of the Linux kernel is not installed", hint="apt-get install linux-source", ident="HIB-E-SOURCE"
    )


def source_key(source: Path, more: Sequence[Path] = ()) -> str:
    """Return what the built kernel depends on as a short digest, without reading all of the source.

    :raises CommandFailed: the source is missing.
    """
    try:
        with open(source, "rb") as handle:
            head = handle.read(ENDS)
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - ENDS))
            tail = handle.read()
    except OSError as error:
        raise CommandFailed(
            f"{source} cannot be read: {error.strerror}", hint="apt-get install linux-source", ident="HIB-E-SOURCE"
        ) from error
    wanted, *others = ("\n".join(_lines(path)) for path in (FRAGMENT, *more))
    return digest_of(source.name, str(size), head, tail, wanted, run(["gcc", "-dumpfullversion"]).stdout, *others)


def _lines(fragment: Path) -> list[str]:
    lines = fragment.read_text().splitlines()
    return [line for line in lines if "CONFIG_" in line] if fragment.suffix == FRAGMENT.suffix else lines


def merged(fragments: Sequence[Path]) -> str:
    """Return fragments as one, with the optional settings at the end; the later ones override."""
    settings: dict[str, tuple[str, bool]] = {}
    for fragment in fragments:
        firm, _, optional = fragment.read_text().partition(OPTIONAL)
        for text, must in ((firm, True), (optional, False)):
            settings |= {match[1]: (match[0], must) for match in SETTING.finditer(text)}
    lines = {must: [line for line, which in settings.values() if which is must] for must in (True, False)}
    return "\n".join([*lines[True], OPTIONAL, *lines[False], ""])


def fragment_lines(fragment: str) -> tuple[list[str], list[str]]:
    """Split a fragment into the settings that must hold and those of its optional section at the end."""
    firm, _, optional = fragment.partition(OPTIONAL)
    return _settings(firm), _settings(optional)


def lost_settings(fragment: str, config: str) -> list[str]:
    """Return which settings of a fragment are not in the configuration that came of it."""
    have = set(config.splitlines())
    return [line for line in fragment_lines(fragment)[0] if line not in have]


def _settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("CONFIG_")]


def _version(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _build(sink: Sink, source: Path, jobs: int, work: Path, more: Sequence[Path]) -> None:
    fragments = [FRAGMENT, *(path for path in more if path.suffix == FRAGMENT.suffix)]
    started = time.monotonic()
    sink(Stage(StageName.LAB_KERNEL, Status.STARTED, f"building {source.name.split('.tar')[0]}, once, some ten minutes"))
    tree = work / "tree"
    tree.mkdir()
    try:
        run(["tar", "--extract", "--file", source.resolve(), "--directory", tree, "--strip-components=1"])
        _configure(tree, merged(fragments))
        make = ["make", f"-j{jobs}", "bzImage", "modules"]
        objects = follow(
            sink, StageName.LAB_KERNEL, make, counts=OBJECT_LINE, expected=OBJECTS, unit="objects",
            log=cache_dir() / "kernel-build.log", cwd=tree,
        )  # fmt: skip
        install = ["make", f"INSTALL_MOD_PATH={work}", "INSTALL_MOD_STRIP=1", "modules_install"]
        run(install, cwd=tree)
        for path in (path for path in more if path not in fragments):
            run([*_module(tree, path), "modules"], cwd=tree)
            run([*install, *_module(tree, path)[1:]], cwd=tree)
    except CommandFailed as error:
        sink(Stage(StageName.LAB_KERNEL, Status.FAILED, error.message))
        raise
    shutil.copy2(tree / "arch/x86/boot/bzImage", work / "bzImage")
    shutil.copy2(tree / ".config", work / "config")
    shutil.copy2(tree / "include/config/kernel.release", work / "release")
    shutil.rmtree(tree)
    release = (work / "release").read_text().strip()
    for name in ("build", "source"):  # links to the tree
        (work / MODULES / release / name).unlink(missing_ok=True)
    sink(Stage(StageName.LAB_KERNEL, Status.DONE, f"{release}, {objects} objects", time.monotonic() - started))


def _module(tree: Path, source: Path) -> list[str]:
    """Lay out a module of one file beside the kernel's tree; gives how it is made."""
    folder = tree / "khib"
    folder.mkdir(exist_ok=True)
    shutil.copy(source, folder)
    (folder / "Kbuild").write_text(f"obj-m := {source.stem}.o\n")
    return ["make", f"M={folder}"]


def _configure(tree: Path, fragment: str) -> None:
    run(["make", "tinyconfig"], cwd=tree)
    path = tree / "khib.config"
    path.write_text(fragment)
    run(["scripts/kconfig/merge_config.sh", "-m", ".config", path], cwd=tree)
    run(["make", "olddefconfig"], cwd=tree)
    lost = lost_settings(fragment, (tree / ".config").read_text())
    if lost:
        raise CommandFailed(
            f"this kernel does not take {', '.join(lost)}",
            hint="correct the lab's fragments, or move them to the optional section",
            ident="HIB-E-KCONFIG",
        )
