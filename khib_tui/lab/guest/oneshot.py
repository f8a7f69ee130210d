"""Make the boot loader start C next, once, by its own means; run in A until `khib hibernate` does this itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from khib_tui import files
from khib_tui.bootloader.bls import BootEntry
from khib_tui.runner import run

ENTRY = Path("/boot/loader/entries/khib-restore.conf")
CUSTOM = Path("/boot/grub/custom.cfg")
ID = "khib-restore"


def main() -> None:
    """Take the name of the boot loader from the command line."""
    entry = BootEntry.parse(ENTRY.read_text())
    {"grub": grub, "systemd-boot": systemd_boot, "efi": efi}[sys.argv[1]](entry)
    run(["sync"])


def grub(entry: BootEntry) -> None:
    """Add a menu entry beside grub.cfg, and choose it for once."""
    uuid = run(["findmnt", "--noheadings", "--output", "UUID", "/"]).stdout.strip()
    files.write(CUSTOM, custom(entry, uuid).encode())
    run(["grub-reboot", ID])


def custom(entry: BootEntry, uuid: str) -> str:
    """Return the text of custom.cfg; C's files are on the root filesystem, and words with `$` must arrive as they are."""
    words = " ".join(f"'{word}'" for word in entry.options.split())
    lines = (
        f"  search --no-floppy --fs-uuid --set=root {uuid}", f"  linux /boot{entry.linux} {words}",
        f"  initrd /boot{entry.initrd}",
    )  # fmt: skip
    return "\n".join([f"menuentry '{entry.title}' --id {ID} --unrestricted {{", *lines, "}", ""])


def systemd_boot(entry: BootEntry) -> None:
    """Name the entry that khib wrote, in the variable that systemd-boot reads and deletes."""
    run(["bootctl", "--no-pager", "--esp-path=/boot", "set-oneshot", ENTRY.name])


def efi(entry: BootEntry) -> None:
    """Make an entry of the firmware's own, outside of its order, and choose it for once."""
    for number in numbers(run(["efibootmgr"]).stdout, ID):
        run(["efibootmgr", "--delete-bootnum", "--bootnum", number])
    device = run(["findmnt", "--noheadings", "--output", "SOURCE", "/boot"]).stdout.strip()
    disk = run(["lsblk", "--noheadings", "--output", "PKNAME", device]).stdout.strip()
    words = f"initrd={backwards(entry.initrd)} {entry.options}"
    told = run([
        "efibootmgr", "--create-only", "--disk", f"/dev/{disk}", "--part", re.sub(r".*\D", "", device), "--label", ID,
        "--loader", backwards(entry.linux), "--unicode", words,
    ]).stdout  # fmt: skip
    run(["efibootmgr", "--bootnext", numbers(told, ID)[0]])


def backwards(path: str) -> str:
    """Return a path as the firmware writes it."""
    return path.replace("/", "\\")


def numbers(listed: str, label: str) -> list[str]:
    """Return the numbers of the firmware's entries with a label."""
    return re.findall(rf"^Boot([0-9A-F]{{4}})[* ] {label}\b", listed, re.MULTILINE)


if __name__ == "__main__":
    main()
