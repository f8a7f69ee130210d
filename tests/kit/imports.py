"""Who imports whom, read from the sources: imports inside functions count, those for type checkers alone do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path

Graph = Mapping[str, set[str]]


def modules(top: Path, *packages: str) -> dict[str, Path]:
    """All modules of packages below a folder, by name; a package is the module of its `__init__.py`."""
    found = [path for package in packages for path in sorted((top / package).rglob("*.py"))]
    return {".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__"): path for path in found}


def imported(path: Path, name: str) -> set[str]:
    """What a module imports, anywhere in it, as far as the import may mean a module: `from a import b` is a and a.b."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything in a tree but what stands below `if TYPE_CHECKING:`."""
    yield tree
    only_types = isinstance(tree, ast.If) and isinstance(tree.test, ast.Name) and tree.test.id == "TYPE_CHECKING"
    for node in () if only_types else ast.iter_child_nodes(tree):
        yield from _nodes(node)


def graph(top: Path, *packages: str) -> dict[str, set[str]]:
    """Each module of the packages, and which of them it imports."""
    paths = modules(top, *packages)
    made = {name: imported(path, name) & paths.keys() - {name} for name, path in paths.items()}
    # `from a import b` needs a itself only if b is no module
    return {
        name: {found for found in others if paths[found].name != "__init__.py" or not _leads_on(found, others)}
        for name, others in made.items()
    }


def _leads_on(package: str, others: set[str]) -> bool:
    return any(other.startswith(f"{package}.") for other in others)


def circle(links: Graph) -> list[str]:
    """The modules of a circle, in its order; nothing if there is none."""
    done: set[str] = set()

    def search(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        found = next((found for other in sorted(links[name]) if (found := search(other, [*way, name]))), [])
        done.add(name)
        return found

    return next((found for name in sorted(links) if (found := search(name, []))), [])
