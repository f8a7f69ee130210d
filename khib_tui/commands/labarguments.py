"""What can be typed after `khib lab`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from khib_tui.model.choices import CodecChoice

Add = Callable[[Any, str, str, str], argparse.ArgumentParser]
LOADERS = ["grub", "systemd-boot", "efi"]
DISPLAYS = ["std", "virtio", "qxl"]
SAVERS = ["debian-12", "debian-13", "newest"]
SYSTEMS = ["agent", "systemd"]
MACHINES = ["virtio", "laptop", "desktop", "usb", "emmc"]


def add_options(lab: argparse.ArgumentParser, add: Add) -> None:
    """Add what can be typed after `khib lab`.

    :param add: makes a command: of its parent's commands, its name, verb and help.
    """
    _machine(lab)
    actions = lab.add_subparsers(metavar="ACTION")
    demo = add(actions, "demo", "commands.lab:lab_demo", "play whole cycles by itself")
    _machine(demo)
    demo.add_argument("--boot", choices=["kernel", "disk"], default="kernel", help="QEMU starts the kernel, or the disk boots")
    _own_disk(demo)
    demo.add_argument("--cycles", type=int, default=1, help="hibernations in one uptime")
    demo.add_argument("--cancelled", action="store_true", help="then cancel one, switch off, and see that A starts")
    _fill(demo)
    demo.add_argument("--sealed", action="store_true", help="seal the images, and look for a secret on the disk")
    _memmap(demo)
    demo.add_argument("--rehearse", action="store_true", help="rehearse first, in the same uptime")
    demo.add_argument("--shallow", dest="deep", action="store_false", help="do not check every program and library")
    _boots(add(actions, "boots", "commands.lab:lab_boots", "play hibernations of each computer with each boot loader"))
    places = add(actions, "places", "commands.lab:lab_places", "play the image in a file of A's own, on each filesystem")
    _machine(places)
    _fill(places)
    places.add_argument("--cycles", type=int, default=2, help="hibernations in one uptime")
    places.add_argument("--kinds", nargs="*", metavar="KIND", help="filesystems; all if not given")
    places.add_argument("--stacks", nargs="*", metavar="STACK", help="what they lie on; all if not given")
    prints = add(actions, "prints", "commands.lab:lab_prints", "try what is noticed on the disks of a sleeping system")
    prints.add_argument("--kinds", nargs="*", metavar="KIND", help="filesystems, or swap; all if not given")
    prints.add_argument("--stacks", nargs="*", metavar="STACK", help="what they lie on; all if not given")
    _pictures(add(actions, "pictures", "commands.lab:lab_pictures", "take pictures of the screen in B and C"))
    add(actions, "kernel", "commands.lab:lab_kernel", "build the guest kernel").add_argument("--linux-source", type=Path)


def _machine(command: argparse.ArgumentParser) -> None:
    command.add_argument("--memory", type=int, default=2048, metavar="MIB", help="memory of the machine")
    command.add_argument("--cpus", type=int, default=2)
    command.add_argument("--firmware", choices=["bios", "uefi"], default="bios")
    _board(command)
    command.add_argument("--linux-source", type=Path, metavar="TARBALL", help="another kernel source")
    command.add_argument("--saver", choices=SAVERS, help="a distribution's own kernel as B and C, not A's")
    command.add_argument("--codec", choices=[codec.value for codec in CodecChoice])
    command.add_argument("--keep", type=Path, metavar="DIR", help="keep disks and logs in this directory")


def _fill(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fill", type=int, default=50, metavar="PERCENT", help="how much of the memory to fill")


def _memmap(command: argparse.ArgumentParser) -> None:
    command.add_argument("--memmap", choices=("exact", "none"), default="exact", help="none: C moves itself")


def _place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--place", choices=("partition", "file"), default="partition", help="file: on its own root")


def _kind(command: argparse.ArgumentParser) -> None:
    command.add_argument("--boot-partition", choices=("root", "own"), default="root", help="where /boot is; own: BIOS only")
    command.add_argument("--grub", choices=SAVERS, help="a distribution's GRUB on UEFI, not the host's")


def _boots(command: argparse.ArgumentParser) -> None:
    _machine(command)
    _fill(command)
    _kind(command)
    command.add_argument("--firmwares", nargs="*", choices=["bios", "uefi"], default=["bios", "uefi"])
    command.add_argument("--loaders", nargs="*", choices=LOADERS, default=LOADERS, help="each by all its firmware")
    command.add_argument("--machines", nargs="*", choices=MACHINES, default=MACHINES[:3], help="of a kind each")
    _memmap(command)
    _place(command)
    command.add_argument("--cycles", type=int, default=2, help="hibernations in one uptime, before one that is cancelled")
    command.set_defaults(cancelled=True, rehearse=False, sealed=False, deep=False, boot="disk")


def _pictures(command: argparse.ArgumentParser) -> None:
    _machine(command)
    _fill(command)
    command.add_argument("--displays", nargs="*", choices=DISPLAYS, default=DISPLAYS)
    command.add_argument("--firmwares", nargs="*", choices=["bios", "uefi"], default=["bios", "uefi"])
    command.add_argument("--into", type=Path, metavar="DIR", default=Path("docs/pictures"))
    command.set_defaults(saver="debian-13", memory=1024)


def _own_disk(command: argparse.ArgumentParser) -> None:
    loaders = [*LOADERS, "grub-bls"]
    command.add_argument("--loader", choices=loaders, default="grub", help="of a disk that boots itself")
    command.add_argument("--machine", choices=MACHINES, default="virtio", help="what disks and keyboard are")
    _kind(command)
    command.add_argument("--init", choices=SYSTEMS, default="agent", help="the first process of a disk that boots itself")
    _place(command)


def _board(command: argparse.ArgumentParser) -> None:
    command.add_argument("--chipset", choices=["q35", "pc"], default="q35", help="QEMU's name of it")
    command.add_argument("--below-4g", type=int, default=0, metavar="MIB", help="so much memory below 4 GiB, the rest above")
    command.add_argument("--numa", action="store_true", help="two nodes share memory and processors")
    command.add_argument("--hotplug", action="store_true", help="an empty range where memory could be plugged in")
    command.add_argument("--dimm", action="store_true", help="a memory module there, which the firmware's map does not list")
    command.add_argument("--iommu", choices=["intel", "amd"], help="the disks are behind an IOMMU")
