"""Sizes and times as people read them."""

from __future__ import annotations

import re
import time

from humanize import naturalsize

from khib_tui.errors import UsageError
from khib_tui.i18n import _
from khib_tui.model.text import clean

PAGE = 4096
KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_MAX_SIZE = 1 << 62
_UNITS = {"": 1, "k": KIB, "m": MIB, "g": GIB, "t": GIB << 10}


def size(count: float) -> str:
    """Format a number of bytes, as in `1.4 GiB`."""
    return naturalsize(count, binary=True, format="%.1f").replace(" Bytes", " bytes").replace(" Byte", " byte")


def duration(seconds: float) -> str:
    """Format a time, as in `14 s`, `3 min 20 s` or `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def parse_size(text: str) -> int:
    """Read a size such as `256M`, `1.5 GiB` or `4096` into bytes.

    :raises UsageError: the text is no size.
    """
    found = re.fullmatch(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*([kmgt]?)(?:i?b)?\s*", text, re.IGNORECASE)
    count = float(found[1]) * _UNITS[found[2].lower()] if found else _MAX_SIZE
    if count >= _MAX_SIZE:
        raise UsageError(
            _("'{text}' is not a size").format(text=clean(text)), hint=_("write it as 256M or 1.5G"), ident="HIB-E-SIZE"
        )
    return int(count)


def when(seconds: float, form: str = "%Y-%m-%d %H:%M") -> str:
    """Format a time in seconds since 1970 as the local one; `?` for one that no calendar has."""
    try:
        return time.strftime(form, time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return "?"
