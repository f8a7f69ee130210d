"""Kernels on this machine: which could be B and C, wherever the distribution puts them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from khib_tui.errors import Refused
from khib_tui.facts import kconfig
from khib_tui.facts.read import text
from khib_tui.formats import bzimage
from khib_tui.model.machine import KernelFile, Machine

# Where boot loaders find their files: /boot itself and the usual places of the EFI system partition.
_BOOT = ("boot", "efi", "boot/efi")
# In these: Debian, Fedora, Arch, openSUSE; Gentoo; by hand; ours; systemd's layout; ostree; NixOS.
_NAMES = (
    "vmlinuz-*", "vmlinuz", "kernel-*", "bzImage*", "khib/vmlinuz*", "*/*/linux", "ostree/*/vmlinuz-*", "kernels/*-bzImage",
    "EFI/nixos/*-bzImage.efi",
)  # fmt: skip
# Copies beside the modules, where nothing in /boot is of their release: unified kernels, systemd's and ostree's systems, NixOS.
_BESIDE_MODULES = (
    "usr/lib/modules/*/vmlinuz", "lib/modules/*/vmlinuz", "run/booted-system/kernel", "run/current-system/kernel",
)  # fmt: skip
_ENTRIES = "loader/entries/*.conf"
_UNIFIED = "EFI/Linux/*.efi"
_LINUX = re.compile(r"^linux\s+/?(\S+)", re.MULTILINE)


def find(root: Path, release: str, config: dict[str, str]) -> tuple[KernelFile, ...]:
    """Find bzImages, newest release first and rescue kernels last.

    :param release: the running kernel's; its `config` serves where a kernel of that release has no file of its own.
    """
    found = [kernel for path in _once(_booted(root)) if (kernel := _kernel(root, path, release, config))]
    known = {kernel.release for kernel in found}
    spare = [kernel for path in _once(_spare(root)) if (kernel := _kernel(root, path, release, config))]
    found += [kernel for kernel in spare if kernel.release not in known]
    newest = sorted(found, key=lambda kernel: _version(kernel.release), reverse=True)
    return tuple(sorted(newest, key=lambda kernel: "rescue" in kernel.path))


def unified(root: Path) -> tuple[str, ...]:
    """Find unified kernel images (UKI): kernels too, but not files that can be loaded as they are."""
    paths = [path for place in _BOOT for path in sorted((root / place).glob(_UNIFIED))]
    return tuple(dict.fromkeys(f"/{path.relative_to(root)}" for path in _once(paths)))


def with_named(machine: Machine, path: str, root: Path = Path("/")) -> Machine:
    """Return the machine with one more kernel: any that can be read, wherever it lies.

    :param path: as the user wrote it; '' changes nothing.
    :raises Refused: HIB-E-BZIMAGE, with the cause.
    """
    if not path or any(kernel.path == path for kernel in machine.kernels):
        return machine
    kernel = _described(root, path, bzimage.read(root / path.lstrip("/")), machine.release, machine.config)
    return msgspec.structs.replace(machine, kernels=(*machine.kernels, kernel))


def _booted(root: Path) -> Iterator[Path]:
    for place in _BOOT:
        top = root / place
        for name in _NAMES:
            yield from sorted(top.glob(name))
        for entry in sorted(top.glob(_ENTRIES)):
            for file in _LINUX.findall(text(entry)):
                # Relative to the partition, or to the root where /boot is none.
                yield from (path for path in (top / file, root / file) if path.is_file())


def _spare(root: Path) -> Iterator[Path]:
    for name in _BESIDE_MODULES:
        yield from sorted(root.glob(name))


def _once(paths: Iterator[Path] | list[Path]) -> Iterator[Path]:
    """Yield each file once, and links only where they lead to none of the others."""
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
    return _described(root, f"/{path.relative_to(root)}", image, release, config)


def _described(root: Path, path: str, image: bzimage.BzImage, release: str, config: dict[str, str]) -> KernelFile:
    own = kconfig.of_release(root, image.release) or (config if image.release == release else {})
    return KernelFile(
        path=path, release=image.release, init_size=image.init_size, pref_address=image.pref_address,
        relocatable=image.relocatable, config=own, kernel_64=image.kernel_64, alignment=image.kernel_alignment,
    )  # fmt: skip


def _version(release: str) -> list[tuple[int, str]]:
    """Order 6.10 after 6.9."""
    return [(int(digits[:9]), "") if digits else (-1, text) for digits, text in re.findall(r"([0-9]+)|([^0-9.]+)", release)]
