"""The RAM that B and C take for their own: outside of the region it is A's, and they would write over it.

Memory that is plugged in, or a driver that turns its device into memory, can come to a kernel after its start, whatever memory
map it was given.
"""

from __future__ import annotations

import re
from pathlib import Path

from khib_tui.errors import KhibError, Refused
from khib_tui.facts.read import text
from khib_tui.i18n import _
from khib_tui.model import memmap
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import size

IDENT = "HIB-E-REGION-RAM"
_ROOT = Path("/")
_RAM = re.compile(r"^ *([0-9a-f]{1,16})-([0-9a-f]{1,16}) : System RAM", re.MULTILINE)


class Overwritten(KhibError):
    """This kernel may have written over A: A must not run again, its disks are as after a power cut."""


def system_ram(root: Path = _ROOT) -> Ranges:
    """Return all System RAM of this kernel in bytes, whatever it lies below in /proc/iomem.

    :raises Refused: the kernel does not tell.
    """
    found = [(int(start, 16), int(last, 16) + 1) for start, last in _RAM.findall(text(root / "proc/iomem"))]
    if not any(start for start, _ in found):
        raise Refused(_("/proc/iomem does not tell what memory this kernel uses"), ident=IDENT)
    return Ranges.of(found)


def refuse_outside(region: Ranges, of_a: Ranges, root: Path = _ROOT) -> None:
    """In B: see that all of its RAM lies inside the region.

    :param of_a: A's RAM, in bytes as all ranges here.
    :raises Refused: some does not, but A had nothing there.
    :raises Overwritten: some does not, and A's memory is there.
    """
    outside = system_ram(root) - region
    if not outside:
        return
    what = _("the saver took {named} for its own, which lies outside of its region").format(named=_named(outside))
    if outside & of_a:
        raise Overwritten(_("{what}: it may have written over the running system").format(what=what), ident=IDENT)
    raise Refused(what, hint=_("please report it with the output of `khib facts`"), ident=IDENT)


def refuse_beyond(region: Ranges, root: Path = _ROOT) -> None:
    """In C: see that all of its RAM lies inside the image's region.

    :raises Refused: some does not; nothing has happened to the image.
    """
    outside = system_ram(root) - region
    if outside:
        raise Refused(
            _("this kernel took {named} for its own, which lies outside of its region: restoring would overwrite it").format(
                named=_named(outside)
            ),
            hint=_("boot the restore entry that khib wrote, with all of its words; the image is kept"),
            ident=IDENT,
        )


def given(cmdline: str) -> Ranges | None:
    """Return the RAM in bytes that memmap= words allow a kernel; None without memmap=exactmap."""
    return memmap.named(cmdline, memmap.RAM) if memmap.exact(cmdline) else None


def refuse_beyond_words(root: Path = _ROOT) -> None:
    """In C: see that all of its RAM is what its memmap= words give it; this needs no image.

    :raises Refused: some is not; nothing has happened.
    """
    allowed = given(text(root / "proc/cmdline"))
    if allowed is not None:
        refuse_beyond(allowed, root)


def refuse_over(target: Ranges, root: Path = _ROOT) -> None:
    """In C: see that none of its RAM lies where memory is going to be restored.

    :raises Refused: some does; nothing has happened.
    """
    over = system_ram(root) & target
    if over:
        raise Refused(
            _("restoring would overwrite {named}, which this kernel uses itself").format(named=_named(over)),
            hint=_("boot this kernel with memmap= words that keep it out of the memory that is restored"), ident=IDENT,
        )  # fmt: skip


def _named(ranges: Ranges) -> str:
    return _("{size} of memory at {spans:#x}").format(size=size(ranges.total), spans=ranges.spans[0][0])
