"""What is known about the way this machine is booted."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath

import msgspec

LOADER_GUID = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
"""Of variables that boot loaders and Linux share."""
FIRMWARE_GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""Of the firmware's own variables."""
ONE_SHOT = 1 << 3
"""The bit of LoaderFeatures that promises LoaderEntryOneShot; GRUB sets LoaderInfo too, but not this."""


class LoaderKind(StrEnum):
    """Who boots C: `bls` is whatever reads Boot Loader Specification entries in the boot folder, such as the lab."""

    AUTO = "auto"
    SYSTEMD_BOOT = "systemd-boot"
    GRUB = "grub"
    GRUB_BLS = "grub-bls"
    EFI = "efi"
    BLS = "bls"


class Folder(msgspec.Struct, frozen=True):
    """A folder, and how a boot loader finds it.

    `inside` is its path within the filesystem on the block device `device` (a kernel name, '' if unknown), a subvolume of
    btrfs included; `uuid` and `fstype` are that filesystem's.
    """

    path: str
    inside: str = "/"
    device: str = ""
    uuid: str = ""
    fstype: str = ""

    def seen(self, path: Path) -> str:
        """Return the path of a file below this folder as the boot loader sees it.

        :raises ValueError: it lies elsewhere.
        """
        return str(PurePosixPath(self.inside) / path.relative_to(self.path))


class BootFacts(msgspec.Struct, frozen=True):
    """`loader` and `features` are what the boot loader that ran says of itself (LoaderInfo, LoaderFeatures).

    `partition` is the GUID of the partition it came from (LoaderDevicePartUUID), '' if it does not say. `efivars` tells whether
    EFI variables can be written, `boot_current` and `boot_order` whether the firmware has the variables of these names.
    `boot` is /boot, `esp` and `xbootldr` the partitions that the Boot Loader Specification knows, as far as they are mounted,
    `grub` the folder with grub.cfg. `grub_custom` tells whether that reads custom.cfg, `grub_bls` whether it lists entries of
    that specification, `grub_env` whether GRUB itself can write grubenv. `esp_free` are the bytes that khib's files can take
    on the EFI system partition: what is free, and what those there take already.
    """

    loader: str = ""
    features: int = 0
    partition: str = ""
    efivars: bool = False
    boot_current: bool = False
    boot_order: bool = False
    boot: Folder | None = None
    esp: Folder | None = None
    xbootldr: Folder | None = None
    grub: Folder | None = None
    grub_custom: bool = False
    grub_bls: bool = False
    grub_env: bool = False
    esp_free: int = 0


class Partition(msgspec.Struct, frozen=True):
    """A partition: its number, first sector and size in sectors of 512 bytes, the GUID that a GPT gives it."""

    number: int
    start: int
    size: int
    guid: str


class Loader(msgspec.Struct, frozen=True):
    """Who boots C: `entry` is the file, or the EFI variable, that has C's entry.

    Its paths are those that `folder` gives: kernel and initramfs lie below it. `esp` is the partition it lies on, where the
    firmware itself has to find it.
    """

    kind: LoaderKind
    entry: Path
    folder: Folder
    esp: Partition | None = None
