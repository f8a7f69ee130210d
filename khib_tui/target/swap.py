"""A swap of A's as a place for the image: where it lies, whether it is on, swapped off and on again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from khib_tui import runner
from khib_tui.errors import CommandFailed, Refused
from khib_tui.facts.usage import ActiveSwap, read_swaps
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import State
from khib_tui.model.identity import TargetRef, find, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import Used
from khib_tui.model.target import Target
from khib_tui.model.units import KIB, PAGE
from khib_tui.target import beneath, swapheader

HEAD = 64 * KIB
"""Bytes at the start of a swap that the image leaves alone: its header, and what may stand before it."""
FSTAB = Path("/etc/fstab")
WHAT = N_("the swap that was lent to the image")
# Swapping in is slow where pages lie in disorder on a disk that turns.
PATIENCE = 1800.0
_DISCARD = ("discard", "discard=once", "discard=pages")


class Area(Struct, frozen=True):
    """Where a swap lies: what the image gets of it, and the header, whose change is noticed."""

    place: TargetRef
    header: Used


def path_of(target: Target) -> Path:
    """Return the device node or file of a swap."""
    return Path(target.name)


def located(target: Target, devices: Sequence[BlockDevice], *, sealed: bool) -> Area:
    """Find where a swap lies now, on which disk or partition.

    :param target: with its device, as `model.target.resolved` gives it.
    :param devices: as they are now.
    :raises Refused: it is not there, no swap, or lies so that nobody but its owner may write it.
    """
    path = path_of(target)
    device = next((item for item in devices if item.path == target.device), None)
    if device is None or not path.exists():
        raise Refused(_("{path} is not there").format(path=path), hint=_("choose another place"), ident="HIB-E-TARGET-MISSING")
    end = swapheader.size(swapheader.read(path))
    spans = _of_file(path, beneath.mounted(devices, path), end) if target.path else [(0, device.size)]
    head, leaf = beneath.followed(devices, device, beneath.cut(spans, 0, PAGE), path)
    places, same = beneath.followed(devices, device, beneath.cut(spans, HEAD, end), path)
    if same != leaf:
        raise beneath.moved(path, _("it lies on several devices"))
    if not sealed:
        beneath.refuse_encrypted(devices, device, path)
    key, spots = key_of(leaf), tuple((start, stop) for _, start, stop in head)
    return Area(TargetRef(key, spans=beneath.ordered(places, path)), Used(key, leaf.name, WHAT, spots))


def _of_file(path: Path, device: BlockDevice, end: int) -> list[tuple[int, int]]:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_size < end:
            raise beneath.moved(path, _("it is smaller than its header says"))
        return list(beneath.of_file(fd, path, device))
    finally:
        os.close(fd)


def active(target: Target) -> ActiveSwap | None:
    """Return the line of /proc/swaps of a swap, None if it is off."""
    path = path_of(target)
    return next((item for item in read_swaps() if item.source == os.fspath(path) or _one(Path(item.source), path)), None)


def _one(left: Path, right: Path) -> bool:
    """Return whether two paths are of one file, or nodes of one device."""
    try:
        first, second = left.stat(), right.stat()
    except OSError:
        return False
    if first.st_rdev or second.st_rdev:
        return first.st_rdev == second.st_rdev
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def image_in(area: Area, devices: Sequence[BlockDevice]) -> headers.Header | None:
    """Return the header of what looks like an image in the place of a swap."""
    device = find(devices, area.place.key)
    with ranges.Ranged(Path(device.path), area.place.spans) as store:
        return headers.read_or_given_up(store)


def refuse_waiting(area: Area, target: Target, devices: Sequence[BlockDevice]) -> None:
    """See that no image that can be resumed lies in a swap that is lent.

    :raises Refused: HIB-E-COMPLETE, one does.
    """
    if active(target) or not swapheader.lent(swapheader.read(path_of(target))):
        return
    header = image_in(area, devices)
    if header and header.state is State.COMPLETE:
        hint = _("resume it, or give it up with `khib image discard`")
        what = _("{path} holds a complete image of {host}").format(
            path=path_of(target), host=header.host or _("another system")
        )
        raise Refused(what, hint=hint, ident="HIB-E-COMPLETE")


def refuse_other_tools() -> None:
    """See that a swap that is left lent, as by a power cut, is one again after the next start of this system.

    :raises Refused: HIB-E-SWAP-TOOLS, another swapon than that of util-linux does not do that.
    """
    try:
        said = runner.run(["swapon", "--version"], check=False).stdout
    except CommandFailed as error:
        said = error.message
    if "util-linux" not in said:
        what = _("this system's swapon is not that of util-linux")
        hint = _("install util-linux's swapon, or choose another place")
        raise Refused(
            _("{what}: after a power cut the swap would stay off").format(what=what), hint=hint, ident="HIB-E-SWAP-TOOLS"
        )


def off(target: Target) -> None:
    """Bring back what is swapped out, by a program that the kernel ends first should memory not do.

    :raises Refused: HIB-E-SWAP-OFF, it does not.
    """
    done = runner.run(["swapoff", path_of(target)], check=False, timeout=PATIENCE)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [
            _("it ended with code {returncode}").format(returncode=done.returncode)
        ]
        text = _("{path} cannot be swapped off: {reason}").format(path=path_of(target), reason=lines[-1])
        raise Refused(text, hint=_("close programs that need much memory, or choose another place"), ident="HIB-E-SWAP-OFF")


def on(target: Target, was: ActiveSwap | None) -> None:
    """Swap on it again.

    :param was: what it was before; None for what fstab says.
    :raises CommandFailed: it cannot be.
    """
    path = path_of(target)
    options = options_of(target) if was is None else [*_chosen(was), *_discards(options_of(target))]
    runner.run(["swapon", *(["-o", ",".join(options)] if options else []), path], timeout=PATIENCE)


def _chosen(was: ActiveSwap) -> list[str]:
    return [f"pri={was.priority}"] if was.priority >= 0 else []


def _discards(options: Sequence[str]) -> list[str]:
    return [option for option in options if option in _DISCARD]


def options_of(target: Target) -> list[str]:
    """Return the options that fstab has for a swap, those that `swapon -o` knows; [] if it is not there."""
    lines = FSTAB.read_text(errors="replace").splitlines() if FSTAB.exists() else []
    for words in map(str.split, lines):
        if len(words) >= 4 and words[2] == "swap" and not words[0].startswith("#") and _same(words[0], target):
            return [word for word in words[3].split(",") if word in _DISCARD or word.startswith("pri=")]
    return []


def _same(name: str, target: Target) -> bool:
    kind, equal, value = name.partition("=")
    node = f"/dev/disk/by-{kind.lower()}/{value.strip(chr(34))}" if equal else name
    return os.path.realpath(node) == os.path.realpath(path_of(target))
