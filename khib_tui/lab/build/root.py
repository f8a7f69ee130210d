"""The disk of the lab: a minimal Debian of the host's own suite behind a boot partition, as one raw image."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.events.follow import follow
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.files import cache_dir
from khib_tui.lab.build.apt import debian_mirror, host_suite
from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.lab.build.system import FILES, File, write_files
from khib_tui.model.units import GIB, KIB, MIB
from khib_tui.runner import interact, run

PACKAGES = ("python3", "e2fsprogs", "util-linux", "mount", "fdisk", "procps", "kmod")
DISK_SIZE = 2 * GIB
BOOT_START, BOOT_SIZE = 1 * MIB, 96 * MIB
ROOT_START = BOOT_START + BOOT_SIZE
ROOT_SIZE = DISK_SIZE - ROOT_START - 1 * MIB  # the last MiB holds the second partition table
STRIPPED = (
    "usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug",
    "var/cache/apt", "var/lib/apt/lists", "var/log",
)  # fmt: skip
STEPS = 513  # lines that debootstrap prints
STEP_LINE = re.compile(r"I: ")


def guest_root(sink: Sink, more: Sequence[str] = ()) -> Path:
    """Return the raw image of the lab's disk, building it first if it is not in the cache; never write to it.

    :param more: packages that only some tests need; with them it is another image.
    :raises CommandFailed: it cannot be built; nothing of it is left then.
    """
    suite = host_suite()
    made = entry(
        _entry_name(suite, more),
        lambda work: _build(sink, suite, work, more),
        lambda: sink(Message("waiting for another khib that is building the system")),
    )
    return made / "disk.img"


def is_root_built(more: Sequence[str] = ()) -> bool:
    """Return whether the cache has the lab's disk."""
    return (cache_dir() / _entry_name(host_suite(), more)).is_dir()


def _entry_name(suite: str, more: Sequence[str] = ()) -> str:
    return f"root-{digest_of(suite, *PACKAGES, *more, *STRIPPED, partition_table(), _python(), repr(FILES))}"


def partition_table() -> str:
    """Return the sfdisk script of the disk: KHIBBOOT, then KHIBROOT."""
    sector = 512
    boot = f"start={BOOT_START // sector}, size={BOOT_SIZE // sector}, type=uefi, name=KHIBBOOT"
    root = f"start={ROOT_START // sector}, size={ROOT_SIZE // sector}, type=linux, name=KHIBROOT"
    return f"label: gpt\n{boot}\n{root}\n"


def _python() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _build(sink: Sink, suite: str, work: Path, more: Sequence[str]) -> None:
    started = time.monotonic()
    sudo = root_prefix()
    sink(Stage(StageName.LAB_SYSTEM, Status.STARTED, f"installing a minimal {suite}, once, a minute or three"))
    tree = work / "tree"
    try:
        install(sink, sudo, suite, tree, [*PACKAGES, *more])
        finish(sudo, tree)
        _pack(sudo, tree, work / "disk.img")
    except CommandFailed as error:
        sink(Stage(StageName.LAB_SYSTEM, Status.FAILED, error.message))
        raise
    finally:
        run([*sudo, "rm", "-rf", "--one-file-system", tree])
    sink(Stage(StageName.LAB_SYSTEM, Status.DONE, suite, time.monotonic() - started))


def root_prefix() -> list[str]:
    """Return what has to stand before a command that needs root, asking for the password now if there is one."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and interact(["sudo", "-v"]) == 0:
        return ["sudo", "-n"]
    raise CommandFailed("installing the lab's Debian needs root", hint="run this as root, or install sudo", ident="HIB-E-ROOT")


def install(sink: Sink, sudo: Sequence[str], suite: str, tree: Path, packages: Sequence[str]) -> None:
    """Install a minimal Debian into a folder.

    :raises CommandFailed: it cannot be installed, or has another Python.
    """
    proxies = [f"{name}={os.environ[name]}" for name in ("http_proxy", "https_proxy", "no_proxy") if name in os.environ]
    # in a mount namespace of its own, so that no mount of a broken run stays behind
    words = [
        *sudo, "env", *proxies, "unshare", "--mount", "debootstrap", "--variant=minbase", "--merged-usr",
        f"--include={','.join(packages)}", suite, str(tree), debian_mirror(suite),
    ]  # fmt: skip
    follow(
        sink, StageName.LAB_SYSTEM, words, counts=STEP_LINE, expected=STEPS, unit="steps", log=cache_dir() / "debootstrap.log"
    )
    if not (tree / "usr/bin" / _python()).exists():
        raise CommandFailed(
            f"{suite} has no {_python()}, which this khib runs on",
            hint="run khib with /usr/bin/python3, as scripts/setup does",
            ident="HIB-E-PYTHON",
        )


def finish(sudo: Sequence[str], tree: Path, files: Mapping[str, File] = FILES) -> None:
    """Make it small, and put what the lab needs into it."""
    ours = tree.with_name("ours")
    write_files(ours, files)
    run([*sudo, "rm", "-rf", *(tree / name for name in STRIPPED)])
    run([*sudo, "mkdir", "-p", *(tree / name for name in (*STRIPPED[-3:], "opt/khib"))])
    run([*sudo, "cp", "--recursive", "--preserve=mode", f"{ours}/.", tree])
    run([*sudo, "sed", "-i", "s/^root:[^:]*:/root::/", tree / "etc/shadow"])
    shutil.rmtree(ours)


def _pack(sudo: Sequence[str], tree: Path, image: Path) -> None:
    with open(image, "wb") as handle:
        handle.truncate(DISK_SIZE)
    run(["sfdisk", "--quiet", image], input=partition_table())
    run(["mkfs.vfat", "-F", "16", "-n", "KHIBBOOT", "--offset", str(BOOT_START // 512), image, str(BOOT_SIZE // KIB)])
    # nothing is left to the kernel's lazy initialisation, which would write to an idle disk
    options = f"offset={ROOT_START},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    run([
        *sudo, "mke2fs", "-q", "-F", "-t", "ext4", "-L", "KHIBROOT", "-m", "0", "-E", options, "-d", tree, image,
        f"{ROOT_SIZE // KIB}k",
    ])  # fmt: skip
