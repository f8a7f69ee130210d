"""When the machine is to wake by itself: a time of day, or a time from now."""

from __future__ import annotations

import re
import time

from khib_tui.errors import UsageError
from khib_tui.i18n import _
from khib_tui.model.text import clean

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST = 366 * 86400


def seconds(text: str, now: float) -> float:
    """Return the seconds from `now` (since 1970) to a time such as `07:30`, which is the next such, or `90m`, `8h`, `2d`.

    :raises UsageError: the text is neither.
    """
    if clock := re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text):
        return _until(int(clock[1]), int(clock[2]), now)
    span = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if span and 0 < int(span[1]) * _UNITS[span[2]] <= _MOST:
        return float(int(span[1]) * _UNITS[span[2]])
    raise UsageError(
        _("'{text}' is no time to wake at").format(text=clean(text)),
        hint=_("write it as 07:30, 90m or 8h"),
        ident="HIB-E-WAKE-TIME",
    )


def _until(hour: int, minute: int, now: float) -> float:
    """Return the seconds to the next such local time; the clock may be put forward or back before."""
    today = time.localtime(now)
    at = (time.mktime((today.tm_year, today.tm_mon, today.tm_mday + day, hour, minute, 0, 0, 0, -1)) for day in range(3))
    return next(moment for moment in at if moment > now) - now
