"""C's entry in GRUB's own language: a marked block in custom.cfg, which the stock grub.cfg reads last.

Nothing of grub.cfg changes, and no other line of custom.cfg. The block makes C the default for one start while an image of
this system waits: GRUB reads that from the image's own place, in its form of an environment block, and writes nothing.
"""

from __future__ import annotations

import re
import shlex

from khib_tui.bootloader.bls import BootEntry
from khib_tui.model.cmdline import split

ID = "khib-restore"
BEGIN = "### khib: begin (written by `khib setup`, taken away by `khib setup --remove`) ###"
END = "### khib: end ###"
# Sectors 8 and 9 of the image's place, see docs/image-format.md.
_MARK = "8+2"
_BLOCK = re.compile(rf"\n?{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", re.DOTALL)
_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def block(entry: BootEntry, uuid: str, *, setup_id: str = "", partition: str = "") -> str:
    """Return the lines of the block, with its marks.

    :param uuid: of the filesystem that the entry's paths are on.
    :param partition: the image's place as GRUB spells partitions, such as `gpt2`; without it GRUB looks at no image.
    """
    lines = [
        BEGIN,
        f"menuentry '{entry.title}' --id {ID} --unrestricted {{",
        f"  search --no-floppy --fs-uuid --set=root {uuid}",
        f"  linux {word(entry.linux)} {' '.join(map(word, split(entry.options)))}",
        f"  initrd {' '.join(map(word, entry.initrds))}",
        "}",
        *(_resume(setup_id, partition) if partition else []),
        END,
    ]
    return "\n".join(lines) + "\n"


def _resume(setup_id: str, partition: str) -> list[str]:
    return [
        "insmod regexp",
        f"for khib_place in (hd*,{partition}); do",
        "  set khib_resume=",
        f"  if load_env --skip-sig -f ${{khib_place}}{_MARK} khib_resume; then",
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
    if _BLOCK.search(content):
        return _BLOCK.sub(lambda found: ("\n" if found[0].startswith("\n") else "") + lines, content, count=1)
    return content + ("\n" if content else "") + lines


def without_block(content: str) -> str:
    """Take the block out; what was there before is left as it was."""
    return _BLOCK.sub("", content)


def parse(content: str) -> BootEntry | None:
    """Read the entry back, as GRUB would; None if there is none."""
    found = re.search(rf"^menuentry '([^']*)' --id {ID} .*?^}}$", content, re.DOTALL | re.MULTILINE)
    if not found:
        return None
    commands = [shlex.split(line) for line in found[0].splitlines()[1:-1]]
    given = {words[0]: words[1:] for words in commands if words}
    linux, *options = given.get("linux", [""])
    return BootEntry(found[1], linux, tuple(given.get("initrd", ())), " ".join(options))
