"""What depmod wrote about a kernel's modules: what each needs, and which drives a device."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

_PACKED = re.compile(r"\.ko(\.(xz|zst|gz))?$")
_WILD = re.compile(r"[*?\[]")


def same(name: str) -> str:
    """Return the name of a module as the kernel spells it."""
    return name.replace("-", "_")


def plain_name(path: Path) -> Path:
    """Return the path that a module has when it is not compressed."""
    return path.with_name(_PACKED.sub(".ko", path.name))


def module_name(path: str) -> str:
    """Return the name of the module in a file."""
    return same(_PACKED.sub("", Path(path).name))


class Index:
    """The modules below `lib/modules/RELEASE`; a kernel without any has an empty one."""

    def __init__(self, top: Path) -> None:
        self.top = top

    @cached_property
    def needs(self) -> dict[str, tuple[str, list[str]]]:
        """The path of each module, and those of all that it needs, the last to be loaded first (modules.dep)."""
        found = {}
        for line in _lines(self.top / "modules.dep"):
            path, _, others = line.partition(":")
            found[module_name(path)] = (path, others.split())
        return found

    @cached_property
    def builtin(self) -> frozenset[str]:
        """The names of what the kernel has built in."""
        return frozenset(map(module_name, _lines(self.top / "modules.builtin")))

    @property
    def known(self) -> frozenset[str]:
        """All names, of modules and of what is built in."""
        return self.builtin.union(self.needs)

    @cached_property
    def _aliases(self) -> list[tuple[str, str, str]]:
        """Each pattern of a device with the text before its first wildcard, and the module for it (modules.alias)."""
        words = [line.split() for line in _lines(self.top / "modules.alias")]
        patterns = [(word[1], same(word[2])) for word in words if len(word) == 3 and word[0] == "alias"]
        return [(_WILD.split(pattern, maxsplit=1)[0], pattern, name) for pattern, name in patterns]

    @cached_property
    def _soft(self) -> dict[str, tuple[list[str], list[str]]]:
        """What each module asks for by name: to be loaded before it, and after it (modules.softdep)."""
        found: dict[str, tuple[list[str], list[str]]] = {}
        for line in _lines(self.top / "modules.softdep"):
            kind, _, rest = line.partition(" ")
            name, _, wanted = rest.partition(" ")
            if kind == "softdep":
                before, after = found.setdefault(same(name), ([], []))
                first, _, last = wanted.partition("post:")
                before += first.replace("pre:", "").split()
                after += last.split()
        return found

    def drivers(self, aliases: Iterable[str]) -> list[str]:
        """Return the modules for devices that call themselves so, in the order of the devices."""
        wanted = dict.fromkeys(aliases)
        found: dict[str, None] = {}
        for alias in wanted:
            found |= dict.fromkeys(
                name for start, pattern, name in self._aliases if alias.startswith(start) and fnmatchcase(alias, pattern)
            )
        return list(found)

    def closure(self, names: Iterable[str]) -> list[Path]:
        """Return the files of modules and of all that they need or ask for, in the order they are loaded in."""
        seen: set[str] = set()
        return [self.top / path for name in names for path in self._loaded(name, seen)]

    def _loaded(self, wanted: str, seen: set[str]) -> Iterator[str]:
        """Yield what is loaded for one name, without what was before."""
        for name in [same(wanted)] if same(wanted) in self.known else self.drivers([wanted]):
            if name in seen or name not in self.needs:
                continue
            seen.add(name)
            path, others = self.needs[name]
            before, after = self._soft.get(name, ([], []))
            for other in (*before, *(module_name(place) for place in reversed(others))):
                yield from self._loaded(other, seen)
            yield path
            for other in after:
                yield from self._loaded(other, seen)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
