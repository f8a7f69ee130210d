"""Kernel modules: which ones this machine needs to reach its disks and keyboards, and what those need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.facts.kmod import Index, same
from khib_tui.facts.read import text
from khib_tui.i18n import _

# asked for on every machine, and left out where a kernel has them built in or not at all; ext4 asks for crc32c by
# name, and there is no modprobe to answer
WISHED = (
    "ext4", "vfat", "nls_ascii", "nls_cp437", "nls_iso8859_1", "nls_utf8", "crc32c_generic", "crc32c_intel", "efivarfs",
    "i8042", "atkbd", "usbhid", "hid_generic", "xhci_pci", "ehci_pci", "uhci_hcd", "ohci_pci", "evdev",
    "hid_apple", "hid_logitech_dj", "hid_logitech_hidpp", "i2c_hid_acpi", "intel_lpss_pci",
    "sd_mod", "usb_storage", "uas", "virtio_pci", "vmd", "mmc_block", "sdhci_acpi",
)  # fmt: skip
# Classes of devices that B and C use in any case; and what reaches another machine.
KINDS = ("block", "input")
NETWORK = (*KINDS, "net")
REMOTE = ("nfs", "ssh")
# PCI classes: mass storage, SD hosts, USB
_SOCKETS = ("0x01", "0x0805", "0x0c03")
_KEY_A = 30  # of linux/input-event-codes.h
_ALIAS = 4096  # bytes of a modalias at most; that of a keyboard lists all its keys
# What each filesystem needs of the kernel's crypto and character sets by name, then its driver: one of the last tuple.
_CRC = ("crc32c_generic", "crc32c_intel", "libcrc32c")
_FILE_SYSTEMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ext4": (_CRC, ("ext4",)),
    "ext3": (_CRC, ("ext4", "ext3")),
    "ext2": (_CRC, ("ext2", "ext4")),
    "xfs": (_CRC, ("xfs",)),
    "btrfs": ((*_CRC, "xxhash_generic", "sha256_generic", "blake2b_generic"), ("btrfs",)),
    "nfs": ((), ("nfs", "nfsv3", "nfsv4")),
    "ssh": ((), ()),
    "vfat": (("nls_ascii", "nls_cp437", "nls_iso8859_1", "nls_utf8"), ("vfat",)),
}


def directory(release: str, root: Path = Path("/")) -> Path:
    """Return where the modules of a kernel are."""
    return root / "lib/modules" / release


def closure(release: str, names: Iterable[str], root: Path = Path("/")) -> list[Path]:
    """Return the files of modules and of all that they need or ask for, in the order they have to be loaded in.

    Names that the kernel has built in, or not at all, have no file; `missing` tells the latter.
    """
    return Index(directory(release, root)).closure(names)


def missing(release: str, names: Iterable[str], root: Path = Path("/")) -> list[str]:
    """Return the names that a kernel has neither as a module nor built in, without those only wished for."""
    there = Index(directory(release, root)).known.union(WISHED)
    return [name for name in map(same, names) if name not in there]


def for_filesystem(fstype: str, release: str, config: Mapping[str, str], root: Path = Path("/")) -> list[str]:
    """Return the modules that a kernel needs for a filesystem, in the order they have to be loaded in.

    :param release: the kernel; empty if its modules are not on this system.
    :param config: what it was built with, without `CONFIG_`; empty if unknown.
    :raises Refused: HIB-E-FS-DRIVER, it has no driver for it, or one that cannot be packed.
    """
    helpers, drivers = _FILE_SYSTEMS[fstype]
    if not drivers:
        return []
    built_in = any(config.get(f"{name.upper()}_FS") == "y" for name in drivers)
    there = Index(directory(release, root)).known if release else frozenset()
    if built_in or (not release and not config) or not there.isdisjoint(drivers):
        return [*helpers, *drivers]
    raise Refused(
        _("kernel {release} has no driver for {fstype}, where the image file is to be").format(
            release=release or _("of saver and restorer"), fstype=fstype
        ),
        hint=_("choose another kernel (--kernel), another filesystem, or an empty partition"),
        ident="HIB-E-FS-DRIVER",
    )


def needed_for(root: Path = Path("/"), wished: Sequence[str] = WISHED, kinds: Sequence[str] = KINDS) -> list[str]:
    """Name the modules for the disks and keyboards of the running system, and those that are always wished for.

    :param kinds: of devices, as sysfs has classes of them.
    """
    found = dict.fromkeys(wished)
    for device in _in_use(root, kinds):
        found |= dict.fromkeys(_drivers(device, root))
    return list(found)


def for_devices(release: str, root: Path = Path("/"), kinds: Sequence[str] = KINDS) -> list[str]:
    """Name the modules that another kernel drives the same devices with, which may be others than the running one's.

    These are the devices on the way to each disk and keyboard, and all that a disk or keyboard can be plugged into.
    """
    ways = [place for device in _in_use(root, kinds) for place in _way(device, root)]
    aliases = [text(place / "modalias", _ALIAS) for place in (*ways, *_sockets(root))]
    return Index(directory(release, root)).drivers(filter(None, aliases))


def _in_use(root: Path, kinds: Sequence[str]) -> Iterator[Path]:
    for kind in kinds:
        for entry in sorted((root / "sys/class" / kind).glob("*")):
            if kind != "input" or _types(entry):
                yield entry.resolve()


def _types(device: Path) -> bool:
    """Return whether an input device has letters; a lid, a loudspeaker or the jacks of a sound card have not."""
    words = text(device / "capabilities/key").split()
    return bool(words) and bool(int(words[-1], 16) >> _KEY_A & 1)


def _sockets(root: Path) -> Iterator[Path]:
    """Yield the controllers of disks, memory cards and USB, whatever is plugged in now, by their PCI class."""
    for place in sorted((root / "sys/bus/pci/devices").glob("*")):
        if text(place / "class", 16).startswith(_SOCKETS):
            yield place


def _way(device: Path, root: Path) -> list[Path]:
    """Return a device and what it hangs on, the outermost first."""
    top = (root / "sys/devices").resolve()
    way = []
    for place in (device, *device.parents):
        if place == top or not place.is_relative_to(top) or place.is_relative_to(top / "virtual"):
            break
        way.append(place)
    return way[::-1]


def _drivers(device: Path, root: Path) -> Iterator[str]:
    """Go from a device's bus down to it, naming the modules of the drivers on the way."""
    for place in _way(device, root):
        link = place / "driver" / "module"
        if link.exists():
            yield link.resolve().name
