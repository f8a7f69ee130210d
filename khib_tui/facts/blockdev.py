"""All block devices from sysfs and from the disks themselves, without udev or lsblk: B and C have neither.

Sizes and offsets are bytes. What cannot be read stays empty; nothing raises.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from khib_tui.facts.parttable import PartitionTable, read_table
from khib_tui.facts.read import data, names, number, text
from khib_tui.facts.signatures import Read, Signature, content_of, sniff
from khib_tui.facts.usage import Usage, read_usage
from khib_tui.model.disks import is_disk_name
from khib_tui.model.machine import BlockDevice
from khib_tui.model.text import clean

# Buses such as USB take their time until a disk is there. Seconds.
WAIT_FOR_DISKS = 20.0

SECTOR = 512
_KINDS = {
    "loop": "loop", "zram": "zram", "ram": "ram", "sr": "rom", "fd": "floppy", "nbd": "network", "rbd": "network",
    "rnbd": "network", "drbd": "network",
}  # fmt: skip
# Where sysfs has disks that are hardware, though below `virtual`: the heads of NVMe multipath, and network ones among them.
_NVME_HEADS, _NVME_FABRICS = "virtual/nvme-subsystem", "virtual/nvme-fabrics"
# Drivers that play a SCSI disk, and what iSCSI puts into the path of one.
_PLAYED, _ISCSI = ("pseudo_", "tcm_loop_"), "session"
# What is opened to look at its content. Others may spin up without a medium, or hold nothing of ours.
_READABLE = frozenset({"disk", "partition", "dm", "md", "virtual"})
_SCSI_PAGE_HEADER = 4
_SERIAL_PARENTS = 6
_SCSI_UNIT = re.compile(r"\d+:\d+:\d+:(\d+)")
_MMC_PART = re.compile(r"mmcblk\d+((?:boot|gp|rpmb)\d*)")


class _Disks(Struct):
    """What was read so far of the system below `root`."""

    root: Path
    usage: Usage
    tables: dict[str, PartitionTable] = field(default_factory=dict)

    def table(self, disk: str, sysfs: Path) -> PartitionTable:
        if disk not in self.tables:
            block = number(sysfs / "queue/logical_block_size", SECTOR)
            block = block if block in (512, 1024, 2048, 4096) else SECTOR
            self.tables[disk] = read_table(reader(self.root, disk), block)
        return self.tables[disk]


def devices(root: Path = Path("/")) -> tuple[BlockDevice, ...]:
    """List disks, partitions and mappings that have a size, in the order of their names."""
    sysfs = {name: real(root / "sys/class/block" / name) for name in names(root / "sys/class/block")}
    disks = _Disks(root, read_usage(root, sysfs))
    found = [_device(name, path, disks) for name, path in sorted(sysfs.items(), key=lambda item: _natural(item[0]))]
    return tuple(device for device in found if device)


def real(path: Path) -> Path:
    """Follow the links of sysfs, which are relative."""
    return Path(os.path.realpath(path))


def reader(root: Path, name: str) -> Read:
    """Return a function that reads a device node; it gives b'' where that fails."""
    strict = strict_reader(root, name)

    def read(offset: int, count: int) -> bytes:
        try:
            return strict(offset, count)
        except (OSError, OverflowError):
            return b""

    return read


def strict_reader(root: Path, name: str) -> Read:
    """Return a function that reads a device node, and raises OSError where that fails."""
    path = root / "dev" / name.replace("!", "/")

    def read(offset: int, count: int) -> bytes:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return os.pread(fd, count, offset)
        finally:
            os.close(fd)

    return read


def _natural(name: str) -> tuple[str, int, str]:
    digits = name[len(name.rstrip("0123456789")) :]
    return (name.removesuffix(digits) if digits else name, int(digits or 0), name)


def _device(name: str, sysfs: Path, disks: _Disks) -> BlockDevice | None:
    size = number(sysfs / "size") * SECTOR
    if size <= 0 or number(sysfs / "hidden"):
        return None
    kind = _kind(name, sysfs)
    disk_sysfs = sysfs.parent if kind == "partition" else sysfs
    disk = disk_sysfs.name if kind == "partition" else ""
    # A suspended mapping would make every reader wait.
    opened = kind in _READABLE and not number(sysfs / "dm/suspended")
    read = reader(disks.root, name)
    readable = opened and len(read(0, SECTOR)) == SECTOR
    table = disks.table(disk or name, disk_sysfs) if readable else PartitionTable()
    found = sniff(read, size) if readable else Signature()
    unnamed = readable and not found.fstype
    start = number(sysfs / "start") * SECTOR
    use = disks.usage
    return BlockDevice(
        name=name, size=size, kind=kind, disk=disk, start=start,
        disk_id=table.disk_id,
        partuuid=table.partuuid(start, number(sysfs / "partition")) if disk else "",
        table="" if disk else table.kind,
        serial=_serial(disk_sysfs),
        unit=_unit(disk_sysfs),
        model=_model(disk_sysfs),
        fstype=found.fstype, label=found.label, uuid=found.uuid,
        read_only=bool(number(sysfs / "ro") or number(disk_sysfs / "ro")),
        removable=bool(number(disk_sysfs / "removable")),
        rotational=bool(number(disk_sysfs / "queue/rotational")),
        holders=tuple(sorted({*names(sysfs / "holders"), *_of(use.drivers, name)})),
        slaves=tuple(sorted({*names(sysfs / "slaves"), *_of(use.backing, name)})),
        mounts=tuple(_of(use.mounts, name)),
        swap=any(not item.path for item in use.swaps.get(name, ())),
        readable=readable,
        parttype=table.types.get(start, "") if disk else "",
        partlabel=table.labels.get(start, "") if disk else "",
        content=content_of(strict_reader(disks.root, name), size) if unnamed else "",
        file_limit=found.file_limit,
        swaps=tuple(use.swaps.get(name, ())),
    )  # fmt: skip


def _of(table: Mapping[str, list[str]], name: str) -> list[str]:
    return table.get(name, [])


def _kind(name: str, sysfs: Path) -> str:
    if (sysfs / "partition").is_file():
        return "partition"
    for directory in ("dm", "md"):
        if (sysfs / directory).is_dir():
            return directory
    if known := _KINDS.get(name.rstrip("0123456789")):
        return known
    return _hardware(name, sysfs)


def _hardware(name: str, sysfs: Path) -> str:
    """Tell disks from what a driver makes out of something else, and from what lies behind a network."""
    place = os.fspath(sysfs)
    if any(part.startswith(_ISCSI) and part[len(_ISCSI) :].isdigit() for part in sysfs.parts):
        return "network"
    if _NVME_FABRICS in place or (_NVME_HEADS in place and not _by_pcie(sysfs.parent)):
        return "network"
    played = any(part.startswith(_PLAYED) for part in sysfs.parts)
    made = "devices/virtual/" in place and _NVME_HEADS not in place
    return "virtual" if played or made or not is_disk_name(name) else "disk"


def _by_pcie(subsystem: Path) -> bool:
    """Return whether a path of an NVMe multipath head is not known to be a network; there may be none to be seen."""
    transports = [text(subsystem / name / "transport", 64) for name in names(subsystem) if name.startswith("nvme")]
    known = [transport for transport in transports if transport]
    return not known or "pcie" in known


def _model(disk: Path) -> str:
    """Read maker and model; virtio gives a number as its maker, eMMC cards have a name instead."""
    words = [text(disk / "device" / name, 256) for name in ("vendor", "model", "name")]
    return clean(" ".join(" ".join(word for word in words if not word.startswith("0x")).split()))


def _serial(disk: Path) -> str:
    """Read the serial number: virtio, NVMe, eMMC, SCSI page 0x80, USB, else the world wide name."""
    own = text(disk / "serial", 256) or text(disk / "device/serial", 256) or _scsi_serial(disk) or _usb_serial(disk)
    return clean(own or text(disk / "wwid", 256) or text(disk / "device/wwid", 256))


def _unit(disk: Path) -> str:
    """Tell a disk from others of one device: SCSI's logical unit, NVMe's namespace, a hardware partition of an eMMC."""
    if found := _SCSI_UNIT.fullmatch(real(disk / "device").name):
        return "" if found[1] == "0" else found[1]
    if found := _MMC_PART.fullmatch(disk.name):
        return found[1]
    namespace = number(disk / "nsid", 1)
    return "" if namespace == 1 else str(namespace)


def _scsi_serial(disk: Path) -> str:
    return data(disk / "device/vpd_pg80", 256)[_SCSI_PAGE_HEADER:].decode(errors="replace").strip("\0 \n")


def _usb_serial(disk: Path) -> str:
    """Find the serial number of the USB device a disk hangs on."""
    for parent in list(real(disk / "device").parents)[:_SERIAL_PARENTS]:
        if (parent / "idVendor").is_file():
            return text(parent / "serial", 256)
    return ""
