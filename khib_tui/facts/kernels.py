"""Kernels on this machine: which could be B and C, and whether the running one can be A."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.facts import kconfig
from khib_tui.formats import bzimage
from khib_tui.model.machine import KernelFile

_PLACES = ("vmlinuz-*", "vmlinuz", "khib/vmlinuz*")


def find(root: Path, release: str, config: dict[str, str]) -> tuple[KernelFile, ...]:
    """Find the bzImages in /boot, newest release first.

    :param release: the running kernel's; its `config` serves where a kernel of that release has no file of its own.
    """
    found = [_kernel(root, path, release, config) for path in _candidates(root / "boot")]
    return tuple(sorted((kernel for kernel in found if kernel), key=lambda kernel: _version(kernel.release), reverse=True))


def _candidates(boot: Path) -> Iterator[Path]:
    """Yield each file once, and links only where they lead to none of the others."""
    paths = [path for place in _PLACES for path in sorted(boot.glob(place))]
    seen: set[Path] = set()
    for path in sorted(paths, key=lambda path: path.is_symlink()):
        if path.resolve() not in seen and path.is_file():
            seen.add(path.resolve())
            yield path


def _kernel(root: Path, path: Path, release: str, config: dict[str, str]) -> KernelFile | None:
    try:
        image = bzimage.read(path)
    except Refused:
        return None
    own = kconfig.of_release(root, image.release) or (config if image.release == release else {})
    return KernelFile(
        path=f"/{path.relative_to(root)}", release=image.release, init_size=image.init_size,
        pref_address=image.pref_address, relocatable=image.relocatable, config=own, kernel_64=image.kernel_64,
        alignment=image.kernel_alignment,
    )  # fmt: skip


def _version(release: str) -> list[tuple[int, str]]:
    """Order 6.10 after 6.9."""
    return [(int(part[:9]), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[^0-9.]+", release)]
