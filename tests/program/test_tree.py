"""khib itself as a folder."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from khib_tui.program import tree


def test_the_program_in_the_guest_knows_what_it_needs(tmp_path: Path) -> None:
    tree.add_metadata(tmp_path)
    (folder,) = tmp_path.glob("*.dist-info")
    needs = metadata.Distribution.at(folder).requires or []
    assert any(need.startswith("humanize") for need in needs) and any(need.startswith("urwid") for need in needs)


def test_needed_distributions_are_the_installed_closure() -> None:
    names = {dist.metadata["Name"].lower() for dist in tree.needed_distributions()}
    assert {"urwid", "wcwidth", "msgspec", "lz4", "zstandard", "xxhash", "pyelftools", "humanize"} <= names
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & names


def test_modules_are_compiled_not_to_be_checked(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = 1\n")
    tree.compile_all(tmp_path, Path("/opt/khib/khib_tui"))
    (made,) = tmp_path.glob(f"__pycache__/module.{sys.implementation.cache_tag}.pyc")
    assert made.read_bytes()[4:8] == b"\x01\0\0\0"
    assert b"/opt/khib/khib_tui/module.py" in made.read_bytes()
