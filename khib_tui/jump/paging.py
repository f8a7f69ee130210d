"""Page tables that map the first 4 GiB one to one: a kernel is entered on them where kexec(2)'s own leave holes.

kexec maps what is loaded and this kernel's own RAM. A kernel that is entered needs all of its `init_size`
(Documentation/arch/x86/boot.rst), which may be none of both.
"""

from __future__ import annotations

import struct

from khib_tui.model.units import GIB, MIB, PAGE

MAPPED = 4 * GIB
_LARGE = 2 * MIB
_ENTRIES = PAGE // 8
_DIRECTORIES = MAPPED // (_LARGE * _ENTRIES)
SIZE = (_DIRECTORIES + 3) * PAGE
"""Bytes of all tables."""
_TABLE, _PAGE = 0x003, 0x083  # present and writable; the latter with the bit of a large page


def identity(at: int, *, la57: bool) -> tuple[bytes, int]:
    """Make the tables.

    :param at: physical address they will lie at.
    :param la57: the processor runs with tables of five levels.
    :returns: the tables, and the address of the topmost for CR3.
    """
    pages = [_page(range(start, start + _LARGE * _ENTRIES, _LARGE), _PAGE) for start in range(0, MAPPED, _LARGE * _ENTRIES)]
    pages.append(_page(range(at, at + _DIRECTORIES * PAGE, PAGE), _TABLE))
    for _ in range(2):
        pages.append(_page([at + (len(pages) - 1) * PAGE], _TABLE))
    return b"".join(pages), at + SIZE - (PAGE if la57 else 2 * PAGE)


def _page(addresses: range | list[int], flags: int) -> bytes:
    return struct.pack(f"<{len(addresses)}Q", *(address | flags for address in addresses)).ljust(PAGE, b"\0")
