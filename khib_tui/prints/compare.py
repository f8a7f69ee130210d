"""What became of A's disks while it slept: what it used must be there and unchanged; of the rest it is only told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model.identity import DeviceKey
from khib_tui.model.origin import DiskPrint
from khib_tui.prints.take import key_of_print


def compare(before: Sequence[DiskPrint], now: Sequence[DiskPrint]) -> list[Finding]:
    """Return which disks are missing or were written to; blockers if A used them, else warnings.

    Devices that nothing tells apart are compared as a set: each digest must be there as often as before, in any order.
    """
    present = _by_key(now)
    found = []
    for key, items in _by_key(before).items():
        there = present.get(key, [])
        gone = len(items) - len(there)
        if gone > 0:
            found += [_missing(item) for item in items[-gone:]]
            continue
        unread = [item for item in (*items, *there) if item.needed and not item.digest]
        if unread:
            found.append(_unread(unread[0]))
        elif Counter(item.digest for item in items) - Counter(item.digest for item in there):
            found.append(_changed(items))
    return found


def _by_key(prints: Sequence[DiskPrint]) -> dict[DeviceKey, list[DiskPrint]]:
    grouped: dict[DeviceKey, list[DiskPrint]] = defaultdict(list)
    for item in prints:
        grouped[key_of_print(item)].append(item)
    return grouped


def _name(item: DiskPrint) -> str:
    said = item.what or item.label
    return f"{item.name} ({said})" if said else item.name


def _missing(item: DiskPrint) -> Finding:
    name = _name(item)
    if not item.needed:
        return Finding(
            "HIB-E-DISK-MISSING", Severity.WARNING, _("disk {name} is not there any more").format(name=name),
            _("the sleeping system did not use it, and will see it as unplugged"),
        )  # fmt: skip
    return Finding(
        "HIB-E-DISK-MISSING", Severity.BLOCKER, _("disk {name} of the sleeping system is missing").format(name=name),
        _("it would go on working with a disk that is not there"), _("plug it in again, then retry"),
    )  # fmt: skip


def _unread(item: DiskPrint) -> Finding:
    return Finding(
        "HIB-E-DISK-UNREADABLE", Severity.BLOCKER, _("disk {name} cannot be read").format(name=_name(item)),
        _("nobody can tell whether it is as the sleeping system left it"), _("see to the disk, then retry"),
    )  # fmt: skip


def _changed(items: Sequence[DiskPrint]) -> Finding:
    names = _(" or ").join(map(_name, items))
    if not any(item.needed for item in items):
        return Finding(
            "HIB-E-DISK-CHANGED", Severity.WARNING, _("disk {names} was changed while the system slept").format(names=names),
            _("the sleeping system did not use it, so nothing is lost by that"),
        )  # fmt: skip
    return Finding(
        "HIB-E-DISK-CHANGED", Severity.BLOCKER, _("disk {names} was changed while the system slept").format(names=names),
        _("resuming now would destroy what is on it"), _("boot normally, then discard the image"),
    )  # fmt: skip
