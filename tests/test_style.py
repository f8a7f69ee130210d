"""Rules of the house, as tests."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import ROOT

CODE = sorted([*(ROOT / "khib_tui").rglob("*.py"), *(ROOT / "screens").rglob("*.py")])


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def users(package: str) -> set[str]:
    return {
        str(path.relative_to(ROOT)) for path in CODE if any(name.split(".")[0] == package for name in imports(path))
    }  # fmt: skip


def test_one_module_runs_programs() -> None:
    assert users("subprocess") == {"khib_tui/runner.py"}


def test_the_engine_does_without_urwid_and_opens_screens_in_one_place() -> None:
    assert all(name.startswith("screens/") for name in users("urwid"))
    inside = {name for name in users("screens") if name.startswith("khib_tui/")}
    assert inside == {"khib_tui/present.py"}


@pytest.mark.parametrize("part", ["style", "format", "types", "spelling"])
def test_linters_are_content(part: str) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["scripts/lint", part], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def public(parent: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Yield the public functions and classes, and the public methods of the latter."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def test_every_module_and_public_function_says_what_it_is() -> None:
    silent = []
    for path in CODE:
        tree = ast.parse(path.read_text())
        silent += [f"{path.name}:{node.lineno} {node.name}" for node in public(tree) if not ast.get_docstring(node)]
        silent += [] if ast.get_docstring(tree) else [path.name]
    assert silent == []


def test_no_path_of_a_developers_machine_is_committed() -> None:
    foreign = [str(Path.home()) + "/", str(ROOT) + "/", "/" + "work/", "/" + "root/."]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        text = (ROOT / name).read_text(errors="replace") if (ROOT / name).exists() else ""
        assert not any(place in text for place in foreign), name
