"""A closer look at a kernel whose configuration is no file: what its image carries, which takes a second to unpack."""

from __future__ import annotations

from pathlib import Path

import msgspec

from khib_tui.errors import Refused
from khib_tui.facts import kconfig
from khib_tui.formats import bzimage, kernelimage
from khib_tui.model.machine import KernelFile

# Each is in the kernel only with the option.
_MARKS = {"KEXEC": b"kexec_load_disabled", "BLK_DEV_INITRD": b"Initramfs unpacking failed"}


class Look(msgspec.Struct, frozen=True):
    """A kernel with the configuration that was found, where from, and which options its code lacks if none was found."""

    kernel: KernelFile
    source: str
    lacking: tuple[str, ...] = ()


def look(kernel: KernelFile, root: Path = Path("/")) -> Look:
    """Return a kernel with its configuration, from its file, else out of its image; unreadable images give none."""
    if kernel.config:
        return Look(kernel, "file")
    try:
        elf = kernelimage.content(bzimage.read(root / kernel.path.lstrip("/")))
    except (Refused, OSError):
        return Look(kernel, "")
    if not elf:
        return Look(kernel, "")
    config = kconfig.parse(kernelimage.configuration(elf))
    if config:
        return Look(msgspec.structs.replace(kernel, config=config), "image")
    lacking = [name for name, mark in _MARKS.items() if mark not in elf]
    if not kernelimage.is_x86_64(elf):
        lacking.append("X86_64")
    return Look(kernel, "", tuple(lacking))
