"""Where the host gets its Debian from, read out of its own apt configuration.

`python3 -m khib_tui.lab.build.apt` prints the address of the mirror, for scripts/linux-source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from khib_tui.errors import CommandFailed

CONFIGURATION = Path("/etc/apt")
RELEASE = Path("/etc/os-release")


def host_suite(release: Path = RELEASE) -> str:
    """Return the code name of the distribution that runs here.

    :raises CommandFailed: it has none.
    """
    found = re.search(r'^VERSION_CODENAME="?([\w.-]+)"?$', release.read_text(), re.MULTILINE)
    if found:
        return found[1]
    raise CommandFailed(
        f"{release} names no VERSION_CODENAME", hint="the lab needs Debian or one of its kind", ident="HIB-E-SUITE"
    )


def debian_mirror(suite: str, configuration: Path = CONFIGURATION) -> str:
    """Return the address of the first apt source that has the `main` of a suite.

    :raises CommandFailed: there is none.
    """
    for path in _source_files(configuration):
        read = deb822_sources if path.suffix == ".sources" else oneline_sources
        for uri, suites, components in read(path.read_text(errors="replace")):
            if suite in suites and "main" in components and uri.startswith(("http:", "https:", "file:")):
                return uri
    raise CommandFailed(
        f"{configuration} has no source for {suite} main", hint="the lab installs from there", ident="HIB-E-MIRROR"
    )


Source = tuple[str, list[str], list[str]]


def oneline_sources(text: str) -> Iterator[Source]:
    """Read a sources.list: address, suites and components of each `deb` line."""
    for line in text.splitlines():
        words = re.sub(r"\[[^\]]*\]", "", line.partition("#")[0]).split()
        if len(words) >= 3 and words[0] == "deb":
            yield words[1], [words[2]], words[3:]


def deb822_sources(text: str) -> Iterator[Source]:
    """Read a .sources file: address, suites and components of each stanza that is on."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", plain):
        fields = {found[1].lower(): found[2].split() for found in re.finditer(r"^(\S+):((?:.*)(?:\n[ \t].*)*)", stanza, re.M)}
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            yield uri, fields.get("suites", []), fields.get("components", [])


def _source_files(configuration: Path) -> list[Path]:
    parts = configuration / "sources.list.d"
    paths = [configuration / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
    return [path for path in paths if path.is_file()]


if __name__ == "__main__":
    print(debian_mirror(host_suite()))
