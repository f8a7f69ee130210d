"""Names of disks that any kernel finds by itself, and so B and C do: hardware, or what a hypervisor gives as such.

What is not listed is made by a driver out of something else, which has to be set up again after each start: ZFS volumes,
bcache, DRBD, network block devices, files behind loops, memory.
"""

from __future__ import annotations

import re

_HARDWARE = re.compile(
    r"(sd[a-z]+|hd[a-z]|vd[a-z]+|xvd[a-z]+|nvme\d+(c\d+)?n\d+|mmcblk\d+(boot\d|gp\d|rpmb)?|mspblk\d+|rssd[a-z]+"
    r"|cciss!c\d+d\d+|ida!c\d+d\d+|rd!c\d+d\d+|mtdblock\d+|pmem\d+(\.\d+)?s?)"
)
_PMEM = re.compile(r"pmem\d.*")


def is_disk_name(name: str) -> bool:
    """Return whether the kernel calls a disk so that is there whenever its hardware is; persistent memory is one."""
    return bool(_HARDWARE.fullmatch(name))


def found_again(name: str) -> bool:
    """Return whether B and C surely find such a disk: they have no drivers for persistent memory."""
    return is_disk_name(name) and not _PMEM.fullmatch(name)
