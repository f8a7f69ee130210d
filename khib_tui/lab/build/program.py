"""The program disk of the lab: this very khib with what it depends on, as a read-only ext4 image."""

from __future__ import annotations

import compileall
import importlib.util
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from py_compile import PycInvalidationMode

from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.model.units import KIB, MIB
from khib_tui.runner import run

PROJECT = "khib-tui"
PACKAGES = ("khib_tui", "screens")


def program_disk(out: Path, extra: Mapping[str, Path] | None = None) -> None:
    """Write the image, labelled KHIBPROG, for the guest to mount at /opt/khib.

    :param extra: more files: the name in the image, and where to copy it from.
    :raises CommandFailed: the image cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix=".khib-", dir=out.absolute().parent) as name:
        tree = Path(name) / "tree"
        program_tree(tree, extra)
        image = Path(name) / "image"
        _pack(tree, image)
        image.rename(out)


def program_tree(tree: Path, extra: Mapping[str, Path] | None = None) -> None:
    """Make the folder of what is at /opt/khib in the guest; `extra` as for `program_disk`."""
    shutil.copytree(_dependencies(), tree)
    for package in PACKAGES:
        shutil.copytree(_package(package), tree / package, ignore=shutil.ignore_patterns("__pycache__"))
        _compile(tree / package, package)
    add_metadata(tree)
    for inside, source in (extra or {}).items():
        (tree / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, tree / inside)


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


def _dependencies() -> Path:
    """Return a directory with the compiled dependencies, from the cache if it has them."""
    needed = needed_distributions()
    names = [f"{dist.metadata['Name']} {dist.version}" for dist in needed]

    def build(work: Path) -> None:
        for dist in needed:
            _copy_distribution(dist, work)
        _compile(work, "")

    return entry(f"libraries-{digest_of(sys.version, *names)}", build)


def _copy_distribution(dist: Distribution, target: Path) -> None:
    for file in dist.files or []:
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        source = Path(str(file.locate()))
        if source.is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / file)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def _compile(directory: Path, shown: str) -> None:
    """Compile all modules; tracebacks show them below the guest's /opt/khib."""
    compileall.compile_dir(
        directory, quiet=2, stripdir=str(directory), prependdir=str(Path("/opt/khib") / shown),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH, workers=0,
    )  # fmt: skip


def _pack(tree: Path, image: Path) -> None:
    files = [path for path in tree.rglob("*") if path.is_file()]
    content = sum(-(-path.stat().st_size // 4096) * 4 * KIB for path in files)
    with open(image, "wb") as handle:
        handle.truncate((content * 11 // 10 + 4 * MIB) // MIB * MIB)
    run([
        "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "KHIBPROG", "-m", "0", "-O", "^has_journal,^resize_inode",
        "-N", str(len(files) * 5 // 4 + 256), "-E", "root_owner=0:0,lazy_itable_init=0", "-d", tree, image,
    ])  # fmt: skip
