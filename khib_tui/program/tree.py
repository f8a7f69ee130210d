"""This very program with what it depends on, as a folder that the system's own Python runs."""

from __future__ import annotations

import compileall
import importlib.util
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from py_compile import PycInvalidationMode

PROJECT = "khib-tui"
PACKAGES = ("khib_tui", "screens")
MAIN = "__main__.py"
_START = "import sys\n\nfrom khib_tui.cli import main\n\nsys.exit(main())\n"


def copy_program(tree: Path, shown: Path) -> None:
    """Make the folder: `python -I FOLDER` is `khib` then.

    :param tree: where it is made; it must not be there.
    :param shown: where it will be, for tracebacks.
    """
    tree.mkdir()
    for dist in needed_distributions():
        copy_distribution(dist, tree)
    copy_packages(tree)
    add_metadata(tree)
    (tree / MAIN).write_text(_START)
    compile_all(tree, shown)


def copy_packages(tree: Path) -> None:
    """Copy our own packages."""
    for package in PACKAGES:
        shutil.copytree(package_folder(package), tree / package, ignore=shutil.ignore_patterns("__pycache__"))


def add_metadata(tree: Path) -> None:
    """Say what we need, however we are installed here: `khib setup` in the guest packs that."""
    own = distribution(PROJECT)
    folder = tree / f"{PROJECT.replace('-', '_')}-{own.version}.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {PROJECT}", f"Version: {own.version}"]
    (folder / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {need}" for need in own.requires or []), ""]))


def needed_distributions(project: str = PROJECT) -> list[Distribution]:
    """Return the installed distributions that a project needs, without extras, in the order of their names.

    A requirement that is not installed was not meant for this environment: pip has looked at its markers.
    """
    found: dict[str, Distribution] = {}
    open_names = list(_requirements(distribution(project)))
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        open_names += _requirements(found[name])
    return [found[name] for name in sorted(found)]


def _requirements(dist: Distribution) -> Iterator[str]:
    for line in dist.requires or []:
        requirement, _, marker = line.partition(";")
        found = re.match(r"[\w.-]+", requirement)
        if found and not re.search(r"\bextra\b", marker):
            yield re.sub(r"[-_.]+", "-", found[0]).lower()


def copy_distribution(dist: Distribution, target: Path) -> None:
    """Copy the files of an installed distribution, its metadata too."""
    for file in dist.files or []:
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        source = Path(str(file.locate()))
        if source.is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / file)


def package_folder(name: str) -> Path:
    """Return where one of our packages lies."""
    spec = importlib.util.find_spec(name)
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def compile_all(directory: Path, shown: Path) -> None:
    """Compile all modules; tracebacks show them below `shown`."""
    compileall.compile_dir(
        directory, quiet=2, stripdir=str(directory), prependdir=str(shown),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH, workers=0,
    )  # fmt: skip
