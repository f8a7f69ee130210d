"""Kernel modules: which ones this machine needs to reach its disks and keyboards, and what those need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.initramfs.unpack import content as content

# asked for on every machine, and left out where a kernel has them built in or not at all; ext4 asks for crc32c by
# name, and there is no modprobe to answer
WISHED = (
    "ext4", "vfat", "nls_ascii", "nls_cp437", "nls_iso8859_1", "nls_utf8", "crc32c_generic", "crc32c_intel", "efivarfs",
    "i8042", "atkbd", "usbhid", "hid_generic", "xhci_pci", "ehci_pci", "uhci_hcd", "ohci_pci", "evdev",
    "sd_mod", "usb_storage", "uas", "virtio_pci",
)  # fmt: skip
# What each filesystem needs of the kernel's crypto and character sets by name, then its driver: one of the last tuple.
_CRC = ("crc32c_generic", "crc32c_intel", "libcrc32c")
_FILE_SYSTEMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ext4": (_CRC, ("ext4",)),
    "ext3": (_CRC, ("ext4", "ext3")),
    "ext2": (_CRC, ("ext2", "ext4")),
    "xfs": (_CRC, ("xfs",)),
    "btrfs": ((*_CRC, "xxhash_generic", "sha256_generic", "blake2b_generic"), ("btrfs",)),
    "vfat": (("nls_ascii", "nls_cp437", "nls_iso8859_1", "nls_utf8"), ("vfat",)),
}
_PACKED = re.compile(r"\.ko(\.(xz|zst|gz))?$")


def directory(release: str, root: Path = Path("/")) -> Path:
    """Return where the modules of a kernel are."""
    return root / "lib/modules" / release


def plain_name(path: Path) -> Path:
    """Return the path that a module has when it is not compressed."""
    return path.with_name(_PACKED.sub(".ko", path.name))


def module_name(path: str) -> str:
    """Return the name of the module in a file."""
    return _same(_PACKED.sub("", Path(path).name))


def closure(release: str, names: Iterable[str], root: Path = Path("/")) -> list[Path]:
    """Return the files of modules and of all that they depend on, in the order they have to be loaded in.

    Names that the kernel has built in, or not at all, have no file; `missing` tells the latter.
    """
    top = directory(release, root)
    needs = _needs(top)
    found: dict[str, None] = {}
    for path, others in (needs[name] for name in map(_same, names) if name in needs):
        found |= dict.fromkeys((*reversed(others), path))
    return [top / path for path in found]


def missing(release: str, names: Iterable[str], root: Path = Path("/")) -> list[str]:
    """Return the names that a kernel has neither as a module nor built in, without those only wished for."""
    top = directory(release, root)
    there = {*_needs(top), *map(module_name, _lines(top / "modules.builtin")), *WISHED}
    return [name for name in map(_same, names) if name not in there]


def for_filesystem(fstype: str, release: str, config: Mapping[str, str], root: Path = Path("/")) -> list[str]:
    """Return the modules that a kernel needs for a filesystem, in the order they have to be loaded in.

    :param release: the kernel; empty if its modules are not on this system.
    :param config: what it was built with, without `CONFIG_`; empty if unknown.
    :raises Refused: HIB-E-FS-DRIVER, it has no driver for it, or one that cannot be packed.
    """
    helpers, drivers = _FILE_SYSTEMS[fstype]
    built_in = any(config.get(f"{name.upper()}_FS") == "y" for name in drivers)
    top = directory(release, root)
    there = {*_needs(top), *map(module_name, _lines(top / "modules.builtin"))} if release else set()
    if built_in or (not release and not config) or not there.isdisjoint(drivers):
        return [*helpers, *drivers]
    raise Refused(
        f"kernel {release or 'of saver and restorer'} has no driver for {fstype}, where the image file is to be",
        hint="choose another kernel (--kernel), another filesystem, or an empty partition", ident="HIB-E-FS-DRIVER",
    )  # fmt: skip


def _same(name: str) -> str:
    return name.replace("-", "_")


def _needs(top: Path) -> dict[str, tuple[str, list[str]]]:
    """Read modules.dep, where each line lists all that a module needs, the last to be loaded first."""
    needs = {}
    for line in _lines(top / "modules.dep"):
        path, _, others = line.partition(":")
        needs[module_name(path)] = (path, others.split())
    return needs


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def needed_for(root: Path = Path("/"), wished: Sequence[str] = WISHED) -> list[str]:
    """Name the modules for the disks and keyboards of the running system, and those that are always wished for."""
    found = dict.fromkeys(wished)
    for kind in ("block", "input"):
        for entry in sorted((root / "sys/class" / kind).glob("*")):
            if re.match(r"(mouse|js|event)\d", entry.name):
                continue
            found |= dict.fromkeys(_drivers(entry.resolve(), root))
    return list(found)


def _drivers(device: Path, root: Path) -> Iterator[str]:
    """Go from a device up to its bus, naming the modules of the drivers on the way, the outermost first."""
    names = []
    top = (root / "sys/devices").resolve()
    for place in (device, *device.parents):
        if place == top or not place.is_relative_to(top) or place.is_relative_to(top / "virtual"):
            break
        link = place / "driver" / "module"
        if link.exists():
            names.append(link.resolve().name)
    yield from reversed(names)
