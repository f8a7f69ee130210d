"""Who may import whom, and what may do what."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.kit import ROOT


def sources() -> list[Path]:
    return [path for path in sorted((ROOT / "screens").rglob("*.py")) if path.name != "__init__.py"]


def test_screens_neither_run_programs_nor_write_files() -> None:
    for path in sources():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        names |= {node.id for node in nodes if isinstance(node, ast.Name)}
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not modules & {"subprocess", "shutil", "khib_tui.runner"}, path
        assert not names & {"write_text", "write_bytes", "unlink", "mkdir", "rename", "system", "popen"}, path
        assert len(path.read_text().splitlines()) <= 300, path
