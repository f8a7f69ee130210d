"""The texts of the code that are marked for translation, by its syntax; in f-strings too, where gettext sees none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.kit import ROOT
from tests.kit.imports import modules

MARKS = {"_": 1, "N_": 1, "ngettext": 2}


class Marked(NamedTuple):
    """A call of one of the marks: the module's file, the line, and the texts, or None if they are not written there."""

    path: Path
    line: int
    mark: str
    texts: tuple[str, ...] | None
    hidden: bool


def marked() -> Iterator[Marked]:
    """Return every marked text of the program, without the lab's."""
    for path in modules(ROOT, "khib_tui", "screens").values():
        yield from marked_in(path)


def marked_in(path: Path) -> Iterator[Marked]:
    """Return every marked text of a module."""
    tree = ast.parse(path.read_text())
    hidden = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            words = node.args[: MARKS[node.func.id]]
            texts = tuple(str(word.value) for word in words if isinstance(word, ast.Constant))
            yield Marked(path, node.lineno, node.func.id, texts if len(texts) == len(words) else None, id(node) in hidden)
