"""C's entry in GRUB's own language: a marked block in custom.cfg, which the stock grub.cfg reads last.

Nothing of grub.cfg changes, and no other line of custom.cfg. The block makes C the default for one start while an image of
this system waits: GRUB reads that from the image's own place, in its form of an environment block, and writes nothing.
"""

from __future__ import annotations

import re
import shlex

from khib_tui.bootloader.bls import BootEntry
from khib_tui.model.boot import Folder
from khib_tui.model.cmdline import split

ID = "khib-restore"
BEGIN = "### khib: begin (written by `khib setup`, taken away by `khib setup --remove`) ###"
END = "### khib: end ###"
# Sectors 8 and 9 of the image's place, see docs/image-format.md.
_MARK = 8
_BLOCK = re.compile(rf"^{re.escape(BEGIN)}\n(?:(?!{re.escape(BEGIN)}).)*?^{re.escape(END)}\n", re.DOTALL | re.MULTILINE)
# What reads the filesystem that kernel and initramfs are on, where that is not the one of grub.cfg.
_DRIVERS = {"ext2": "ext2", "ext3": "ext2", "ext4": "ext2", "xfs": "xfs", "btrfs": "btrfs", "vfat": "fat", "f2fs": "f2fs"}
_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def block(entry: BootEntry, folder: Folder, *, setup_id: str = "", partition: str = "", first: int = 0) -> str:
    """Return the lines of the block, with its marks.

    :param folder: tells the filesystem that the entry's paths are on.
    :param partition: the image's place as GRUB spells partitions, such as `gpt2`; without it GRUB looks at no image.
    :param first: the sector of that partition where the image begins.
    """
    lines = [
        BEGIN,
        f"menuentry '{entry.title}' --id {ID} --unrestricted {{",
        *([f"  insmod {_DRIVERS[folder.fstype]}"] if folder.fstype in _DRIVERS else []),
        # SUSE's and Fedora's GRUB can count paths from a subvolume; ours begin at the top of the filesystem.
        *(["  set btrfs_relative_path=n"] if folder.fstype == "btrfs" else []),
        f"  search --no-floppy --fs-uuid --set=root {folder.uuid}",
        f"  linux {word(entry.linux)} {' '.join(map(word, split(entry.options)))}",
        f"  initrd {' '.join(map(word, entry.initrds))}",
        "}",
        *(_resume(setup_id, partition, first) if partition else []),
        END,
    ]
    return "\n".join(lines) + "\n"


def _resume(setup_id: str, partition: str, first: int) -> list[str]:
    return [
        *(f"insmod {module}" for module in ("regexp", "loadenv", f"part_{partition.rstrip('0123456789')}")),
        f"for khib_place in (hd*,{partition}); do",
        "  set khib_resume=",
        f"  if load_env --skip-sig -f ${{khib_place}}{first + _MARK}+2 khib_resume; then",
        f'    if [ "$khib_resume" = "{setup_id}" ]; then',
        f"      set default={ID}",
        "      set fallback=0",
        "      set timeout=3",
        "    fi",
        "  fi",
        "done",
    ]


def word(text: str) -> str:
    """Quote a word for GRUB, which adds quotes again for the kernel where a blank is in it."""
    bare = text.replace('"', "")
    return bare if _SAFE.fullmatch(bare) else "'" + bare.replace("'", "'\\''") + "'"


def with_block(content: str, lines: str) -> str:
    """Put the block into a custom.cfg: where it is, else at the end."""
    if found := _BLOCK.search(content):
        return content[: found.start()] + lines + content[found.end() :]
    return content + ("\n" if content else "") + lines


def without_block(content: str) -> str:
    """Take the block out, and the line end put before it; what was there before is left as it was, byte for byte."""
    while found := _BLOCK.search(content):
        before, behind = content[: found.start()], content[found.end() :]
        ours = not behind or before == "\n" or before.endswith("\n\n")
        content = (before.removesuffix("\n") if ours else before) + behind
    return content


def parse(content: str) -> BootEntry | None:
    """Read the entry back as GRUB would, with the quotes and backslashes that it hands to the kernel; None if there is none."""
    found = re.search(rf"^menuentry '([^']*)' --id {ID} .*?^}}$", content, re.DOTALL | re.MULTILINE)
    if not found:
        return None
    try:
        commands = [shlex.split(line) for line in found[0].splitlines()[1:-1]]
    except ValueError:
        return None
    given = {words[0]: words[1:] for words in commands if words}
    linux, *options = given.get("linux", [""])
    return BootEntry(found[1], linux, tuple(given.get("initrd", ())), " ".join(map(_handed, options)))


def _handed(text: str) -> str:
    """Return a word as GRUB puts it into the kernel's command line (loader_cmdline)."""
    quoted = re.sub(r"([\\\"'])", r"\\\1", text)
    return f'"{quoted}"' if " " in quoted else quoted
