"""Filesystems and swap on partitions, LVM, LUKS and md, made and used in the guest by its ordinary programs."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.model.units import MIB
from khib_tui.runner import run

POINT = Path("/run/khib/prints")
KEY = Path("/run/khib/key")
MODULES = (
    "aes_generic", "xts", "algif_skcipher", "dm_mod", "dm_crypt", "raid1", "xfs", "btrfs", "f2fs", "crc32_generic",
)  # fmt: skip
# There is no udev in the guest, so the programs make their nodes themselves.
NO_UDEV = {"DM_DISABLE_UDEV": "1"}
LVM = 'activation{udev_sync=0 udev_rules=0} devices{obtain_device_list_from_udev=0 use_devicesfile=0 scan="/dev"}'
# An XFS whose log is not looked at whole.
LARGE_LOG = "xfs-log"
# MiB that a filesystem is made in, and that layers take of a partition.
SIZES = {"ext4": 64, "xfs": 320, "btrfs": 160, "f2fs": 96, "vfat": 64, "swap": 64, LARGE_LOG: 320}
LAYERS = 32
MAKERS = {
    "ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f"), "btrfs": ("mkfs.btrfs", "-q", "-f"),
    "f2fs": ("mkfs.f2fs", "-q", "-f"), "vfat": ("mkfs.vfat",), "swap": ("mkswap", "-q", "-f"),
    LARGE_LOG: ("mkfs.xfs", "-q", "-f", "-d", "agcount=2", "-l", "size=100m"),
}  # fmt: skip
_PAGE_OUT = 21  # MADV_PAGEOUT


def do(*words: str | os.PathLike[str], text: str | None = None) -> str:
    """Run a program; return what it prints.

    :raises CommandFailed: it fails.
    """
    return run(list(words), input=text, env=NO_UDEV).stdout


# A plain partition that the sleeping system has mounted, and done nothing else with.
IDLE = "idle"


@dataclass(frozen=True)
class Layer:
    """One layer: `make` it on partitions, `open` it (both return the device on top), `close` it."""

    make: Callable[[Sequence[str]], str]
    open: Callable[[Sequence[str]], str]
    close: Callable[[], object]


def _lvm(*words: str) -> None:
    do("lvm", *words, "--config", LVM)


def _make_volume(parts: Sequence[str]) -> str:
    """Make a volume that does not begin where its disk does, and goes on in a second piece."""
    _lvm("vgcreate", "-qq", "-y", "-s", "1m", "khib", parts[0])
    for name, extents in (("pad", "5"), ("top", "60%FREE"), ("more", "2")):
        _lvm("lvcreate", "-qq", "-y", "-Wn", "-Zn", "-l", extents, "-n", name, "khib")
    _lvm("lvextend", "-qq", "-l", "+100%FREE", "khib/top")
    return "/dev/mapper/khib-top"


def _open_volume(parts: Sequence[str]) -> str:
    _lvm("vgchange", "-qq", "-ay", "khib")
    return "/dev/mapper/khib-top"


def _make_crypt(parts: Sequence[str]) -> str:
    KEY.parent.mkdir(parents=True, exist_ok=True)
    KEY.write_text("prints")
    quick = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--cipher", "aes-xts-plain64")
    do("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", *quick, "--key-file", KEY, parts[0])
    return _open_crypt(parts)


def _open_crypt(parts: Sequence[str]) -> str:
    do("cryptsetup", "open", "--disable-keyring", "--key-file", KEY, parts[0], "khibcrypt")
    return "/dev/mapper/khibcrypt"


def _make_array(metadata: str, parts: Sequence[str]) -> str:
    words = ("--run", "--level=1", "--raid-devices=2", f"--metadata={metadata}", "--assume-clean", "--bitmap=none")
    do("mdadm", "--create", "/dev/md0", "--quiet", *words, *parts)
    return "/dev/md0"


def _open_array(parts: Sequence[str]) -> str:
    do("mdadm", "--assemble", "--quiet", "--run", "/dev/md0", *parts)
    return "/dev/md0"


def _close_array() -> None:
    do("mdadm", "--stop", "--quiet", "/dev/md0")


LAYER = {
    "LVM": Layer(_make_volume, _open_volume, lambda: _lvm("vgchange", "-qq", "-an", "khib")),
    "LUKS": Layer(_make_crypt, _open_crypt, lambda: do("cryptsetup", "close", "khibcrypt")),
    "md": Layer(partial(_make_array, "1.2"), _open_array, _close_array),
    "md-0.90": Layer(partial(_make_array, "0.90"), _open_array, _close_array),
}
STACKS = {
    "plain": (),
    "LVM": ("LVM",),
    "LUKS": ("LUKS",),
    "LUKS+LVM": ("LUKS", "LVM"),
    "md": ("md",),
    "md-0.90": ("md-0.90",),
    IDLE: (),
}


@dataclass
class Stack:
    """The layers on partitions (device nodes), and what lies on top of them."""

    kind: str
    layers: tuple[str, ...]
    parts: Sequence[str]
    top: str = ""

    def make(self) -> None:
        """Make all layers, open, and a filesystem or swap on top."""
        self._through(lambda layer, below: layer.make(below))
        do(*MAKERS[self.kind], self.top)

    def open(self) -> None:
        """Open all layers, as a start of the system does."""
        self._through(lambda layer, below: layer.open(below))

    def _through(self, step: Callable[[Layer, Sequence[str]], str]) -> None:
        below = self.parts
        for name in self.layers:
            below = [step(LAYER[name], below)]
        self.top = below[0]

    def close(self) -> None:
        """Close them."""
        for name in reversed(self.layers):
            LAYER[name].close()

    def mount(self, *options: str) -> None:
        """Mount what is on top, or use it as swap."""
        if self.kind == "swap":
            do("swapon", self.top)
            return
        POINT.mkdir(parents=True, exist_ok=True)
        do("mount", "-t", self.kind.partition("-")[0], *options, self.top, POINT)

    def unmount(self) -> None:
        """Undo `mount`."""
        do(*(("swapoff", self.top) if self.kind == "swap" else ("umount", POINT)))

    def write(self, count: int, name: str = "file") -> mmap.mmap | None:
        """Write noise, durably: into a file, or into pages that are then pushed out to swap; these go with what is returned."""
        if self.kind != "swap":
            path = POINT / name
            path.write_bytes(os.urandom(count))
            do("sync", path)
            os.sync()
            return None
        pages = mmap.mmap(-1, count, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        pages[:] = os.urandom(count)
        pages.madvise(_PAGE_OUT)
        used = int(Path("/proc/swaps").read_text().split()[-2])
        if not used:
            raise CommandFailed("no page went to swap", ident="HIB-E-LAB")
        return pages


def prepare(kind: str, stack: str, disks: Sequence[str]) -> Stack:
    """Make partitions, one on each disk that is needed, and the stack on them."""
    do("modprobe", "--all", *MODULES)
    layers = STACKS[stack]
    parts = []
    for disk in disks[: 2 if any(layer.startswith("md") for layer in layers) else 1]:
        parts.append(_partition(disk, SIZES[kind] + (LAYERS if layers else 0)))
    made = Stack(kind, layers, parts)
    made.make()
    return made


def _partition(disk: str, size: int) -> str:
    do("wipefs", "-qaf", *sorted(map(str, Path("/dev").glob(f"{Path(disk).name}*"))))
    with open(disk, "r+b", buffering=0) as stream:
        for at in range(2 + size):
            stream.seek(at * MIB)
            stream.write(bytes(MIB))
        os.fsync(stream.fileno())
    do("sfdisk", "-q", "--wipe", "always", disk, text=f"label: gpt\nstart=1MiB, size={size}MiB\n")
    return f"{disk}{'p' if disk[-1].isdigit() else ''}1"
