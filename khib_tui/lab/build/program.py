"""The program disk of the lab: this very khib with what it depends on, as a read-only ext4 image."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.model.units import KIB, MIB
from khib_tui.program import tree as program
from khib_tui.runner import run

GUEST = Path("/opt/khib")


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
    program.copy_packages(tree)
    for package in program.PACKAGES:
        program.compile_all(tree / package, GUEST / package)
    program.add_metadata(tree)
    for inside, source in (extra or {}).items():
        (tree / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, tree / inside)


def _dependencies() -> Path:
    """Return a directory with the compiled dependencies, from the cache if it has them."""
    needed = program.needed_distributions()
    names = [f"{dist.metadata['Name']} {dist.version}" for dist in needed]

    def build(work: Path) -> None:
        for dist in needed:
            program.copy_distribution(dist, work)
        program.compile_all(work, GUEST)

    return entry(f"libraries-{digest_of(sys.version, *names)}", build)


def _pack(tree: Path, image: Path) -> None:
    files = [path for path in tree.rglob("*") if path.is_file()]
    content = sum(-(-path.stat().st_size // 4096) * 4 * KIB for path in files)
    with open(image, "wb") as handle:
        handle.truncate((content * 11 // 10 + 4 * MIB) // MIB * MIB)
    run([
        "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "KHIBPROG", "-m", "0", "-O", "^has_journal,^resize_inode",
        "-N", str(len(files) * 5 // 4 + 256), "-E", "root_owner=0:0,lazy_itable_init=0", "-d", tree, image,
    ])  # fmt: skip
