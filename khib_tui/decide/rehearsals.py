"""What has been tried on this machine, and how it went: the rungs from the smallest rehearsal to the whole trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khib_tui.i18n import _
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.model.text import clean
from khib_tui.model.units import duration, when


@dataclass(frozen=True)
class Now:
    """What runs now: this uptime, the kernel of this system and the one that would save, empty if none is chosen."""

    boot_id: str = ""
    release: str = ""
    saver: str = ""


@dataclass(frozen=True)
class Tried:
    """How far it is with a rung.

    :param last: the last journey of this rung, None if there was none.
    :param good: whether this rung or a higher one went well with what runs now.
    :param text: all of it in words.
    """

    rung: Rung
    last: Journey | None
    good: bool
    text: str


def judge(journeys: Sequence[Journey], now: Now) -> list[Tried]:
    """Judge every rung, the smallest first.

    :param journeys: the oldest first.
    """
    return [_tried(rung, journeys, now) for rung in Rung]


def proven(journeys: Sequence[Journey], now: Now) -> Rung | None:
    """Return the highest rung that went well with what runs now; None if none did."""
    good = [tried.rung for tried in judge(journeys, now) if tried.good]
    return good[-1] if good else None


def advice(journeys: Sequence[Journey], now: Now) -> str:
    """Say when a hibernation was last rehearsed, or that it should be; '' never."""
    held = [item for item in journeys if item.end is End.WELL and item.rung is not Rung.ECHO and _same(item, now)]
    if held:
        last = held[-1]
        text = _("Last hibernated well on {when}.") if last.rung is Rung.TRIP else _("Last rehearsed well on {when}.")
        return text.format(when=when(last.started))
    if journeys and journeys[-1].end is not End.WELL:
        return _("The last journey, on {when}, did not go well: rehearse first.").format(when=when(journeys[-1].started))
    if any(item.end is End.WELL and item.rung is not Rung.ECHO for item in journeys):
        return _("It was rehearsed with another kernel, not with the one that runs now: rehearse again before you rely on it.")
    return _("It was never rehearsed on this machine. It may work; a rehearsal first shows it, and costs a minute.")


def _tried(rung: Rung, journeys: Sequence[Journey], now: Now) -> Tried:
    last = next((item for item in reversed(journeys) if item.rung is rung), None)
    held = [item for item in journeys if _reaches(item.rung, rung) and item.end is End.WELL and _same(item, now)]
    if last is None:
        text = (
            _("not by itself, but a higher step went well on {when}").format(when=when(held[-1].started))
            if held
            else _("not tried yet")
        )
        return Tried(rung, None, bool(held), text)
    since = [item for item in held if item.started > last.started]
    good = bool(held) and (last.end is End.WELL or bool(since))
    more = (
        _("; a higher step went well on {when}").format(when=when(since[-1].started))
        if since and last.end is not End.WELL
        else ""
    )
    return Tried(rung, last, good, f"{describe(last, now)}{more}")


def _reaches(higher: Rung, rung: Rung) -> bool:
    return higher.height >= rung.height


def _same(item: Journey, now: Now) -> bool:
    """Return whether the kernels are those that run now; an echo has no saver."""
    return item.release == now.release and (not item.saver or not now.saver or item.saver == now.saver)


def describe(item: Journey, now: Now) -> str:
    """Say in words when a journey was and what became of it."""
    day = when(item.started)
    match item.end:
        case End.AWAY if item.boot_id == now.boot_id:
            return _("under way since {day}").format(day=day)
        case End.AWAY:
            return _("on {day}, and did not come back: the machine was started anew").format(day=day)
        case End.CANCELLED:
            return _("stopped on {day}").format(day=day)
        case End.FAILED:
            return _("failed on {day}: {text}").format(day=day, text=clean(item.text, 300))
    parts = [_("went well on {day}").format(day=day), _("{duration} away").format(duration=duration(item.away_seconds))]
    parts += [] if item.boot_id == now.boot_id else [_("before the last start")]
    parts += (
        []
        if _same(item, now)
        else [_("with kernel {kernel}, not the one of now").format(kernel=clean(item.saver or item.release))]
    )
    if item.seen is not None:
        parts += [_("the saver's screen was seen") if item.seen else _("the saver's screen was not seen")]
    return ", ".join(parts)
