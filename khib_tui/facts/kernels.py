"""Kernels on this machine: which could be B and C, and whether the running one can be A."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.events.types import Finding
from khib_tui.facts import kconfig
from khib_tui.formats import bzimage
from khib_tui.model.machine import KernelFile, Machine

_PLACES = ("vmlinuz-*", "vmlinuz", "khib/vmlinuz*")
# What B and C need; the jump back is a plain kexec_load(2), so not KEXEC_JUMP.
SAVER_OPTIONS = {
    "X86_64": "is not for x86_64",
    "RELOCATABLE": "cannot run at another address",
    "DEVMEM": "has no /dev/mem to reach the sleeping system's memory",
    "KEXEC": "has no kexec_load, which jumps back",
    "BLK_DEV_INITRD": "cannot start from an initramfs",
}
# What A needs: option, ident, what is missing, why it matters.
A_OPTIONS = (
    ("KEXEC", "HIB-E-KEXEC", "it cannot load the saver by kexec_load"),
    ("KEXEC_JUMP", "HIB-E-KEXEC-JUMP", "it cannot jump to the saver and come back"),
    ("HIBERNATION", "HIB-E-HIBERNATION", "its drivers have no code to freeze and thaw devices"),
)
_FIX = "install a kernel that has it (Ubuntu, Fedora, Arch and RHEL 9 kernels do), or rebuild this one with it"


def find(root: Path, release: str, config: dict[str, str]) -> tuple[KernelFile, ...]:
    """Find the bzImages in /boot, newest release first.

    :param release: the running kernel's; its `config` serves where a kernel of that release has no file of its own.
    """
    found = [_kernel(root, path, release, config) for path in _candidates(root / "boot")]
    return tuple(sorted((kernel for kernel in found if kernel), key=lambda kernel: _version(kernel.release), reverse=True))


def _candidates(boot: Path) -> Iterator[Path]:
    """Give each file once, and links only where they lead to none of the others."""
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
    )  # fmt: skip


def _version(release: str) -> list[tuple[int, str]]:
    """Order 6.10 after 6.9."""
    return [(int(part[:9]), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[^0-9.]+", release)]


def unfit_as_saver(kernel: KernelFile) -> list[str]:
    """Say why a kernel cannot be B and C; empty if it can, or if only its configuration could tell and is unknown."""
    header = {"X86_64": kernel.kernel_64, "RELOCATABLE": kernel.relocatable}
    known = kernel.config or dict.fromkeys(SAVER_OPTIONS, "y")
    missing = [name for name in SAVER_OPTIONS if known.get(name) != "y" or not header.get(name, True)]
    return [f"it {SAVER_OPTIONS[name]} (CONFIG_{name})" for name in missing]


def unfit_as_a(machine: Machine) -> list[Finding]:
    """Judge the configuration of the running kernel: one finding for each option that A needs, `ok` ones too."""
    return [_option(machine, *row) for row in A_OPTIONS]


def _option(machine: Machine, name: str, ident: str, why: str) -> Finding:
    kernel = f"the running kernel {machine.release}"
    if not machine.config:
        what = f"it is unknown whether {kernel} has CONFIG_{name}"
        return Finding(ident, "warning", what, f"without it, {why}", f"look for CONFIG_{name}=y in its configuration")
    if machine.config.get(name) == "y":
        return Finding(ident, "ok", f"{kernel} has CONFIG_{name}")
    return Finding(ident, "blocker", f"{kernel} has no CONFIG_{name}", why, _FIX)
