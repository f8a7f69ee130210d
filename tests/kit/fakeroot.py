"""Made-up roots in the words of a text file: systems that somebody has, as far as `probe` reads them.

`@path` begins a file, whose lines follow; `@path/` is a directory, `@path -> target` a link. `@path %bzimage RELEASE` is a
small kernel; `@path %zero N` and `%random N` are N bytes, with `OFFSET:HEX` put over them. A line with `#` is a comment.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.kit import FIELD
from tests.kit.faketree import Content, Link, bzimage, patched, tree


def parse(text: str) -> dict[str, Content]:
    """Read the words of a fake root into what `tree` makes."""
    files: dict[str, Content] = {}
    lines: list[str] = []
    path = ""
    for line in [line for line in text.splitlines() if not line.startswith("#")] + ["@"]:
        if not line.startswith("@"):
            lines.append(line)
            continue
        if path:
            name, content = _file(path, lines)
            files[name] = content
        path, lines = line[1:], []
    return files


def make(root: Path, name: str) -> Path:
    """Make the fake root `name` of tests/field below `root`."""
    return tree(root, parse((FIELD / f"{name}.txt").read_text()))


def _file(path: str, lines: list[str]) -> tuple[str, Content]:
    if " -> " in path:
        name, _, target = path.partition(" -> ")
        return name, Link(target)
    name, _, words = path.partition(" %")
    if not words:
        return name, None if name.endswith("/") else "".join(f"{line}\n" for line in lines)
    kind, argument, *patches = words.split()
    if kind == "bzimage":
        return name, bzimage(argument)
    pairs = [patch.split(":") for patch in patches]
    raw = random.Random(name).randbytes(int(argument)) if kind == "random" else bytes(int(argument))
    return name, patched(raw, *((int(offset, 0), bytes.fromhex(data)) for offset, data in pairs))
