"""The texts of the code that are marked for translation, by its syntax; in f-strings too, where gettext sees none."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Iterator
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


# What a person reads of each: the places of arguments, and their names.
SAYS = {"Finding": slice(2, 5), "Message": slice(0, 1), "die": slice(0, 1)} | dict.fromkeys(
    ("KhibError", "UsageError", "Cancelled", "Refused", "CommandFailed", "FailedAfterChange", "ImageError"), slice(0, 1)
)
NAMES = {"message", "hint", "what", "why", "fix", "text"}


def raw(paths: Iterable[Path]) -> Iterator[str]:
    """Return where errors, findings, messages and steps say something that is not marked."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            yield from (f"{path.name}:{word.lineno}" for word in _said(node) if _is_text(word))


def _said(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS:
        named = [word.value for word in node.keywords if word.arg in NAMES]
        return [*node.args[SAYS[node.func.id]], *named]
    if isinstance(node, ast.FunctionDef) and node.name == "describe":
        return [item.value for item in ast.walk(node) if isinstance(item, ast.Return) and item.value]
    return []


def _is_text(word: ast.expr) -> bool:
    """Return whether it is words as they stand, in part or whole; names and signs between values are none."""
    parts = word.values if isinstance(word, ast.JoinedStr) else [word]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(re.search(r"[a-z]{2,} |[a-z]{2,}$| [a-z]{2,}", text) for text in texts)


def shadowed(path: Path) -> Iterator[str]:
    """Return the functions in which `_` is called and is something else: the variable of a loop, a parameter."""
    todo = [symtable.symtable(path.read_text(), path.name, "exec")]
    while todo:
        scope = todo.pop()
        todo += scope.get_children()
        if scope.get_type() == "function" and "_" in scope.get_identifiers():
            mark = scope.lookup("_")
            if mark.is_referenced() and (mark.is_local() or mark.is_free()):
                yield f"{path.name}:{scope.get_lineno()} {scope.get_name()}"
