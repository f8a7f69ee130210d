"""Which package may import which, what may do what, and how large things may grow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.kit import ROOT
from tests.kit.imports import Graph, circle, graph, imported, modules

# Top down: a package imports only what stands lower, or itself. What stands beside it does not know it.
FLOORS = (
    "__main__ init",
    "cli",
    "commands",
    "present",
    "lab screens.wizard screens.restore",
    "lab.build lab.guest screens.progress",
    "screens.ui",
    "saver restorer plan",
    "jump",
    "target bootloader decide",
    "image.export",
    "image handover",
    "guard initramfs kbuild program seal prints",
    "events",
    "facts",
    "formats linux pagefilter",
    "runner model",
    "errors files",
    "i18n",
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
# What only says the version, and what only says what is in it.
EMPTY = ("khib_tui", "screens")
LINKS = graph(ROOT, "khib_tui", "screens")
SOURCES = modules(ROOT, "khib_tui", "screens")
ENGINE = {name: path for name, path in SOURCES.items() if name.startswith("khib_tui")}
SCREENS = {name: path for name, path in SOURCES.items() if name.startswith("screens")}


def room(module: str) -> str:
    """The entry of the table that a module belongs to; the longest that fits.

    :raises KeyError: nobody said on which floor it stands.
    """
    name = module.removeprefix("khib_tui.")
    while name not in FLOOR:
        if "." not in name:
            raise KeyError(f"{module} stands on no floor")
        name = name.rpartition(".")[0]
    return name


def upward(links: Graph) -> list[str]:
    """The imports that the table forbids."""
    pairs = [(name, other) for name, others in sorted(links.items()) for other in sorted(others) if other not in EMPTY]
    rooms = [(name, other, room(name), room(other)) for name, other in pairs if name not in EMPTY]
    return [f"{name} imports {other}" for name, other, mine, its in rooms if mine != its and FLOOR[mine] >= FLOOR[its]]


def test_imports_lead_down() -> None:
    assert upward(LINKS) == []


def test_no_imports_run_in_a_circle() -> None:
    assert circle(LINKS) == []


def planted(top: Path, **sources: str) -> Path:
    """Make a tree of modules from their text; `__` in a name is a dot."""
    for name, text in sources.items():
        path = top / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)
    return top


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from khib_tui.plan import step", True),
        ("import khib_tui.plan.step", True),
        ("from khib_tui.plan.step import Action", True),
        ("from ..plan.step import Action", True),
        ("def late():\n    from khib_tui.plan import step", True),
        ("from khib_tui.decide import beside", True),
        ("from khib_tui import errors", False),
        ("from khib_tui.target import place", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from khib_tui.plan import step", False),
    ],
)
def test_an_import_that_leads_up_or_aside_is_found(tmp_path: Path, text: str, found: bool) -> None:
    others = dict.fromkeys(
        ("khib_tui__plan__step", "khib_tui__decide__beside", "khib_tui__target__place", "khib_tui__errors"), ""
    )
    links = graph(planted(tmp_path, khib_tui__target__guard=text, **others), "khib_tui")
    assert bool(upward(links)) is found


def test_a_circle_is_found_even_through_a_function_and_within_a_package(tmp_path: Path) -> None:
    one, three = "from khib_tui.plan import two", "def late():\n    import khib_tui.plan.one"
    two = "from khib_tui.plan.three import Thing"
    links = graph(planted(tmp_path, khib_tui__plan__one=one, khib_tui__plan__two=two, khib_tui__plan__three=three), "khib_tui")
    assert circle(links) == ["khib_tui.plan.one", "khib_tui.plan.two", "khib_tui.plan.three"]
    assert circle(links | {"khib_tui.plan.three": set()}) == []


def test_a_module_that_stands_on_no_floor_is_found(tmp_path: Path) -> None:
    links = graph(planted(tmp_path, khib_tui__attic__old="import khib_tui.errors", khib_tui__errors=""), "khib_tui")
    with pytest.raises(KeyError, match="attic"):
        upward(links)


def test_every_module_stands_on_a_floor() -> None:
    assert {room(name) for name in SOURCES if name not in EMPTY} <= FLOOR.keys()


def test_the_engine_knows_screens_through_one_door_and_urwid_not_at_all() -> None:
    roots = {name: {found.partition(".")[0] for found in imported(path, name)} for name, path in ENGINE.items()}
    assert [name for name, found in roots.items() if "screens" in found] == ["khib_tui.present"]
    assert [name for name, found in roots.items() if "urwid" in found] == []


RUNS = {"subprocess", "shutil", "pty", "khib_tui.runner", "khib_tui.files", "os.system", "os.popen", "os.open", "os.write"}
WRITES = {
    "write_text", "write_bytes", "unlink", "mkdir", "rmdir", "touch", "rename", "symlink_to", "hardlink_to", "chmod",
    "truncate", "system", "popen", "execv", "fork", "fdopen", "mkstemp", "NamedTemporaryFile", "write_private",
}  # fmt: skip


def deeds(path: Path, name: str) -> Iterator[str]:
    """The programs that a module runs and the files that it writes, as far as its words tell."""
    yield from sorted(imported(path, name) & RUNS)
    for node in ast.walk(ast.parse(path.read_text())):
        called = node.func if isinstance(node, ast.Call) else None
        word = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        owner = called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else ""
        if word in WRITES or f"{owner}.{word}" in RUNS:
            yield f"{owner}.{word}"
        if isinstance(node, ast.Call) and word == "open":
            words = [
                item.value for item in [*node.args, *(given.value for given in node.keywords)] if isinstance(item, ast.Constant)
            ]
            yield from (f"open {mode}" for mode in map(str, words) if re.fullmatch("[rbt]*[wax+][wbt+]*", mode))


@pytest.mark.parametrize("name", SCREENS)
def test_screens_neither_run_programs_nor_write_files(name: str) -> None:
    assert list(deeds(SCREENS[name], name)) == []


@pytest.mark.parametrize(
    "text",
    ["import subprocess", "from khib_tui import runner", "open('x', 'w')", "path.open(mode='ab')", "import os\nos.open('x', 1)",
     "path.write_text('')", "from os import system", "def late():\n    path.unlink()"],
)  # fmt: skip
def test_a_deed_of_a_screen_is_found(tmp_path: Path, text: str) -> None:
    top = planted(tmp_path, screens__ui__page=text)
    assert list(deeds(top / "screens/ui/page.py", "screens.ui.page"))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_modules_are_short_and_few_lie_flat() -> None:
    sizes = {name: lines(path) for name, path in SOURCES.items() if path.name != "__init__.py"}
    assert {name: count for name, count in sizes.items() if count > 300} == {}
    assert median(sizes.values()) <= 110
    assert len(list((ROOT / "khib_tui").glob("*.py"))) <= 12


def test_functions_are_short() -> None:
    nodes = [node for path in SOURCES.values() for node in ast.walk(ast.parse(path.read_text()))]
    sizes = [(node.end_lineno or 0) - node.lineno + 1 for node in nodes if isinstance(node, ast.FunctionDef)]
    assert median(sizes) <= 7
    assert quantiles(sizes, n=10)[-1] <= 20
