"""The files that make a minimal Debian the lab's guest A."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class File(NamedTuple):
    """A file of the guest: its mode and its text."""

    mode: int
    text: str


INIT = """\
#!/bin/sh
# PID 1 of the lab's guest: mounts what is there, then becomes khib's own program
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root TERM="${TERM:-linux}" LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -b /dev/vda ] || mount -t devtmpfs devtmpfs /dev
[ -w / ] || mount -o remount,rw /
mount -a
[ ! -d /sys/firmware/efi/efivars ] || mount -t efivarfs efivarfs /sys/firmware/efi/efivars
echo lab-a >/proc/sys/kernel/hostname
cd /root

export PYTHONPATH=/opt/khib PYTHONDONTWRITEBYTECODE=1
[ -d /opt/khib/khib_tui ] && exec /usr/bin/python3 -m khib_tui.lab.guest.agent
echo 'khib-init: there is no program disk, so here is a shell'
exec /bin/sh
"""

COMMAND = """\
#!/bin/sh
export PYTHONPATH=/opt/khib PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -m khib_tui "$@"
"""

# all that needs no condition, because one `mount -a` is much faster under emulation than many mounts
FSTAB = """\
LABEL=KHIBROOT / ext4 defaults 0 1
LABEL=KHIBBOOT /boot vfat sync 0 2
LABEL=KHIBPROG /opt/khib ext4 ro,nofail 0 0
devpts /dev/pts devpts gid=5,mode=620,ptmxmode=666,X-mount.mkdir 0 0
tmpfs /dev/shm tmpfs mode=1777,X-mount.mkdir 0 0
tmpfs /run tmpfs mode=755 0 0
tmpfs /tmp tmpfs mode=1777 0 0
securityfs /sys/kernel/security securityfs nofail 0 0
"""

FILES = {
    "usr/sbin/khib-init": File(0o755, INIT),
    "usr/local/bin/khib": File(0o755, COMMAND),
    "etc/fstab": File(0o644, FSTAB),
    "etc/hostname": File(0o644, "lab-a\n"),
    "etc/hosts": File(0o644, "127.0.0.1 localhost lab-a\n"),
}


def write_files(tree: Path, files: Mapping[str, File] = FILES) -> None:
    """Write them all below a directory."""
    for name, file in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
        path.chmod(file.mode)
