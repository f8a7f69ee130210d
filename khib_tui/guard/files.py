"""The files of the guard: the script and its settings, what packs it into A's initramfs, and what runs it a second time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from khib_tui.model.machine import InitramfsMaker

SCRIPT, SETTINGS, NEXT = "etc/khib/guard", "etc/khib/guard.conf", "etc/khib/resume-next"
PACKED = "etc/khib/guard.packed"
LEAST_COUNTDOWN = 10
_PROGRAMS = "dd tr sed sleep mv rm"
_DRACUT = "usr/lib/dracut/modules.d/99khib-guard"
_RUN = f"/bin/sh /{SCRIPT} ask\n"

# Folders that are removed with the last file in them.
_SWAP_UNITS = "etc/systemd/system/swap.d"
FOLDERS = (_DRACUT, "etc/systemd/system/sysinit.target.d", _SWAP_UNITS)
BEFORE_SWAP = f"{_SWAP_UNITS}/50-khib-guard.conf"

_TOOLS_HOOK = f"""#!/bin/sh
# Written by khib: packs the guard that asks before a normal start loses a hibernated session.
case $1 in prereqs) exit 0 ;; esac
. /usr/share/initramfs-tools/hook-functions
mkdir -p "$DESTDIR/etc/khib"
for file in /{SCRIPT} /{SETTINGS} /{NEXT}; do
	[ ! -e "$file" ] || cp -p "$file" "$DESTDIR$file"
done
for program in {_PROGRAMS}; do
	copy_exec "$(command -v "$program")"
done
[ ! -e /{NEXT} ] || manual_add_modules efivarfs
"""

_TOOLS_SCRIPT = f"""#!/bin/sh
# Written by khib: asks before a normal start loses a hibernated session.
case $1 in prereqs) exit 0 ;; esac
{_RUN}"""

_DRACUT_SETUP = f"""#!/bin/bash
# Written by khib: packs the guard that asks before a normal start loses a hibernated session.
check() {{ [ -r /{SETTINGS} ]; }}
depends() {{ return 0; }}
install() {{
	inst_multiple {_PROGRAMS}
	inst_multiple -o blkid reboot poweroff
	inst_simple /{SCRIPT}
	inst_simple /{SETTINGS}
	[ ! -e /{NEXT} ] || inst_simple /{NEXT}
	inst_multiple -o mount modprobe
	inst_hook pre-mount 01 "$moddir/khib-guard.sh"
}}
installkernel() {{ [ ! -e /{NEXT} ] || hostonly='' instmods efivarfs; }}
"""

_DRACUT_SCRIPT = f"""#!/bin/sh
# Written by khib: asks before a normal start loses a hibernated session. dracut reads this file in.
{_RUN}"""

_UNIT = f"""# Written by khib: the second guard, where the one in the initramfs did not ask.
[Unit]
Description=Give up a hibernated image that this system was started beside
DefaultDependencies=no
Before=systemd-remount-fs.service local-fs-pre.target
Conflicts=shutdown.target
Before=shutdown.target
ConditionPathExists=/{SETTINGS}

[Service]
Type=oneshot
ExecStart=/bin/sh /{SCRIPT} mark
StandardOutput=journal+console
TimeoutStartSec=30
"""

_WANTS = """# Written by khib.
[Unit]
Wants=khib-guard.service
"""


_BEFORE_SWAP = """# Written by khib: an image in a swap is given up before this system swaps there.
[Unit]
After=khib-guard.service
"""


class GuardFile(NamedTuple):
    """A file of the guard; `packed` if the initramfs depends on it."""

    path: str
    text: str
    mode: int = 0o644
    packed: bool = True


def script() -> str:
    """Return the script, as A's initramfs runs it."""
    return Path(__file__).with_name("guard.sh").read_text()


def settings(partuuid: str, setup_id: str, countdown: int, first: int = 0, *, lent: bool = False) -> str:
    """Return the script's settings.

    :param countdown: seconds until it resumes, at least ten.
    :param first: the sector of the partition where the image begins.
    :param lent: the image lies in a swap of this system's.
    """
    seconds, swaps = max(countdown, LEAST_COUNTDOWN), "SWAPS=/proc/swaps\n" if lent else ""
    return f"# Written by khib.\nPARTUUID='{partuuid}'\nFIRST={first}\nSETUP='{setup_id}'\nCOUNTDOWN={seconds}\n{swaps}"


def placed_at(conf: Path) -> int | None:
    """Return the sector that a guard's settings name; None without a guard."""
    try:
        found = re.search(r"^FIRST=(\d{1,18})$", conf.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else 0


def guard_files(maker: InitramfsMaker, systemd: bool, conf: str, next_boot: str, *, lent: bool = False) -> list[GuardFile]:
    """Return the files that a system of this kind gets; paths are relative to its root.

    :param lent: the image lies in a swap of this system's.
    """
    found = [GuardFile(SCRIPT, script(), 0o755), GuardFile(SETTINGS, conf)]
    if next_boot:
        found.append(GuardFile(NEXT, next_boot, 0o755))
    if maker == "initramfs-tools":
        found.append(GuardFile("etc/initramfs-tools/hooks/khib-guard", _TOOLS_HOOK, 0o755))
        found.append(GuardFile("etc/initramfs-tools/scripts/init-premount/khib-guard", _TOOLS_SCRIPT, 0o755))
    if maker == "dracut":
        found.append(GuardFile(f"{_DRACUT}/module-setup.sh", _DRACUT_SETUP, 0o755))
        found.append(GuardFile(f"{_DRACUT}/khib-guard.sh", _DRACUT_SCRIPT, 0o755))
    if systemd:
        found.append(GuardFile("etc/systemd/system/khib-guard.service", _UNIT, packed=False))
        found.append(GuardFile("etc/systemd/system/sysinit.target.d/50-khib-guard.conf", _WANTS, packed=False))
    if systemd and lent:
        found.append(GuardFile(BEFORE_SWAP, _BEFORE_SWAP, packed=False))
    return found


def all_paths() -> list[str]:
    """Return every file that a guard can have, on any system; the settings come last, which say that there is one."""
    both = [*guard_files("initramfs-tools", True, "", "-", lent=True), *guard_files("dracut", False, "", "")]
    return [*dict.fromkeys(item.path for item in both if item.path != SETTINGS), PACKED, SETTINGS]
