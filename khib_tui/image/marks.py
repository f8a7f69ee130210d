"""Two marks in the block behind the first header, for those who read no headers: GRUB, and a shell in A's initramfs.

`khib_resume` (a GRUB environment block) is there only while the image is complete: it is set after the header says so, and
cleared before the header says anything else. The given-up mark is written by the guard of A, before A touches its disks.
"""

from __future__ import annotations

import re

from khib_tui.errors import ImageError
from khib_tui.i18n import N_
from khib_tui.image.store import BLOCK, Store

OFFSET = BLOCK
RESUME_SIZE = 1024
SECTOR = 512
GIVEN_UP = b"KHIB-GIVEN-UP"
REASON = N_("given up at a normal start of its system")
NONE = bytes(BLOCK)
_FIRST = b"# GRUB Environment Block\nkhib_resume="
# The guard counts there how often it tried to have the image resumed.
_RESUME = re.compile(re.escape(_FIRST) + rb"([0-9a-f]{16})\n(khib_guard=[0-9]\n)?#*")


def packed(setup_id: str) -> bytes:
    """Make the block of an image that is complete; without the identity of a set-up, nothing is set in it."""
    if not setup_id:
        return NONE
    return (_FIRST + setup_id.encode() + b"\n").ljust(RESUME_SIZE, b"#").ljust(BLOCK, b"\0")


def read(store: Store) -> bytes:
    """Read the block; zeros where the medium ends before."""
    try:
        return store.read(OFFSET, BLOCK)
    except ImageError as error:
        if error.ident != "HIB-E-TRUNCATED":
            raise
        return NONE


def resume_id(block: bytes) -> str:
    """Return the identity of the set-up whose image is to be resumed, as GRUB finds it; '' if there is none."""
    found = _RESUME.fullmatch(block[:SECTOR])
    return found[1].decode() if found else ""


def given_up(block: bytes, image_id: str) -> bool:
    """Return whether the guard has given the image up; a mark that is damaged, or another image's, counts."""
    mark = block[RESUME_SIZE : RESUME_SIZE + SECTOR]
    return GIVEN_UP in mark or image_id.encode() in mark


def sound(block: bytes) -> bool:
    """Return whether nothing else is in a block without a given-up mark; a sector that a power cut left out is no damage."""
    first, second, rest = block[:SECTOR], block[SECTOR:RESUME_SIZE], block[RESUME_SIZE:]
    return (not any(first) or bool(resume_id(block))) and second in (bytes(SECTOR), b"#" * SECTOR) and not any(rest)


def set_resume(store: Store, setup_id: str) -> None:
    """Let boot loaders know, durably, that the image waits; the header says already that it is complete.

    :raises OSError: it may be set, or not.
    """
    if setup_id:
        _write(store, packed(setup_id))


def clear_resume(store: Store) -> None:
    """Let no boot loader resume the image any more, durably; a given-up mark stays.

    :raises OSError: it may be cleared, or not.
    """
    block = read(store)
    if any(block[:RESUME_SIZE]):
        _write(store, bytes(RESUME_SIZE) + block[RESUME_SIZE:])


def clear(store: Store) -> None:
    """Take both marks away, durably; the header says already that the image is not complete.

    :raises OSError: they may be there still.
    """
    if any(read(store)):
        _write(store, NONE)


def _write(store: Store, block: bytes) -> None:
    store.write(OFFSET, block)
    store.flush()
