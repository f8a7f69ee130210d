"""An upstream makedumpfile with zstd, from a newer Debian suite, without touching the system's apt."""

from __future__ import annotations

import getpass
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.lab.build.apt import debian_mirror, host_suite
from khib_tui.lab.build.cache import entry
from khib_tui.runner import run

SUITES = ("sid", "testing")
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Makedumpfile:
    """An unpacked makedumpfile with its own C library: the words that start it, and its version."""

    argv: tuple[str, ...]
    version: str


def makedumpfile() -> Makedumpfile:
    """Fetch it, or take it from the cache.

    :raises CommandFailed: no suite has it, or it has no zstd.
    """
    tree = entry("makedumpfile", _fetch)
    libraries = ":".join(str(tree / place) for place in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"))
    loader = next(path for path in (tree / LOADER, tree / LOADER.removeprefix("usr/")) if path.exists())
    program = next(path for path in (tree / "usr/bin/makedumpfile", tree / "usr/sbin/makedumpfile") if path.exists())
    # the C library loads libgcc_s by itself when a thread ends, and then looks for it in the host's folders
    argv = (str(loader), "--library-path", libraries, "--preload", "libgcc_s.so.1", str(program))
    said = run([*argv, "-v"]).stdout
    if not re.search(r"^zstd\s+enabled", said, re.MULTILINE):
        raise CommandFailed(f"this makedumpfile has no zstd: {said.strip()}", ident="HIB-E-BENCH")
    found = re.search(r"version (\S+)", said)
    return Makedumpfile(argv, found[1] if found else "?")


def _fetch(work: Path) -> None:
    mirror = debian_mirror(host_suite())
    for suite in SUITES:
        try:
            archives = _download(work / suite, mirror, suite)
        except CommandFailed as error:
            last = error
            continue
        for package in archives:
            if package.name.startswith(("lib", "makedumpfile", "zlib")):
                run(["dpkg-deb", "--extract", package, work])
        shutil.rmtree(work / suite)
        return
    raise last


def _download(place: Path, mirror: str, suite: str) -> list[Path]:
    """Download makedumpfile and all it depends on, as if nothing were installed."""
    archives = place / "cache" / "archives"
    (archives / "partial").mkdir(parents=True)
    (place / "lists" / "partial").mkdir(parents=True)
    (place / "status").touch()
    sources = place / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    options = {
        "Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "-", "Dir::State::Lists": place / "lists",
        "Dir::State::status": place / "status", "Dir::Cache": place / "cache", "APT::Sandbox::User": getpass.getuser(),
        "Acquire::Languages": "none",
    }  # fmt: skip
    apt = ["apt-get", "--quiet", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    run([*apt, "update"])
    run([*apt, "--yes", "--no-install-recommends", "--download-only", "install", "makedumpfile"])
    return sorted(archives.glob("*.deb"))
