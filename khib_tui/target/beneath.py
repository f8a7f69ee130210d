"""Where bytes of A's own files and mapped devices lie on the one disk or partition below: there the image is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.facts.read import text
from khib_tui.i18n import N_, _
from khib_tui.image import ranges
from khib_tui.image.store import BLOCK
from khib_tui.linux import btrfs, extents
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice
from khib_tui.model.ranges import Spans
from khib_tui.model.units import size
from khib_tui.prints.follow import Place, Unmapped, follow
from khib_tui.prints.layers import is_real, stack_of

ANEW = N_("remove it (a file for images by `khib setup --remove`), make it anew, and set up again; or choose another place")


def mounted(devices: Sequence[BlockDevice], path: Path) -> BlockDevice:
    """Return the device of the filesystem that a path is on.

    :raises Refused: it is on none that the image could be written beneath.
    """
    device = targets.around(devices, os.fspath(path))
    if device is None or device.fstype not in targets.OWN_FILE_SYSTEMS:
        nothing = _("no filesystem")
        held = f"{device.fstype or nothing}: {device.path}" if device else _("no disk")
        hint = _("choose a place on one of {kinds}").format(kinds=", ".join(targets.OWN_FILE_SYSTEMS))
        raise Refused(_("{path} lies on {held}").format(path=path, held=held), hint=hint, ident="HIB-E-TARGET-FILESYSTEM")
    return device


def of_file(fd: int, path: Path, device: BlockDevice) -> Iterator[tuple[int, int]]:
    """Yield where the bytes of a file lie on the device of its filesystem, in the file's order.

    :raises Refused: its filesystem may move them, or shares them with other files.
    """
    at = 0
    chunks = _chunks(fd, path) if device.fstype == "btrfs" else None
    for extent in extents.extents(fd):
        if not extent.plain or extent.logical != at:
            raise moved(path, _("byte {at} of it is shared, packed, or has no place yet").format(at=at))
        at += extent.size
        end = extent.physical + extent.size
        try:
            yield from [(extent.physical, end)] if chunks is None else btrfs.physical(chunks, extent.physical, end)
        except ValueError as error:
            raise moved(path, str(error)) from error
    if at < os.fstat(fd).st_size:
        raise moved(path, _("nothing of it is on the disk from byte {at} on").format(at=at))
    if chunks is None and _number(device) != os.fstat(fd).st_dev:
        raise moved(path, _("it is not on {device}").format(device=device.path))


def _chunks(fd: int, path: Path) -> list[btrfs.Chunk]:
    if not extents.flags_of(fd) & extents.NOCOW:
        raise moved(path, _("btrfs writes it anew at another place each time (it lacks chattr +C)"))
    if btrfs.devices(fd) != 1:
        raise moved(path, _("its filesystem lies on several devices"))
    return btrfs.chunks(fd)


def _number(device: BlockDevice) -> int:
    major, _, minor = text(Path("/sys/class/block") / device.name / "dev", 64).partition(":")
    return os.makedev(int(major or 0), int(minor or 0))


def cut(spans: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what of a file lies between two of its bytes, as `of_file` gives the whole of it."""
    at = 0
    for low, high in spans:
        first, last = max(start - at, 0), min(end - at, high - low)
        at += high - low
        if first < last:
            yield low + first, low + last


def followed(
    devices: Sequence[BlockDevice], device: BlockDevice, spans: Iterable[tuple[int, int]], path: Path
) -> tuple[list[Place], BlockDevice]:
    """Follow bytes of a device down to the one disk or partition that they lie on.

    :param path: what they are, for errors.
    :raises Refused: they lie on none, on several, or nobody can tell.
    """
    try:
        places = follow(stack_of(devices), device.name, spans)
    except Unmapped as error:
        raise moved(path, f"{device.path}: {error}") from error
    return places, _one_leaf(places, devices, path)


def ordered(places: Sequence[Place], path: Path) -> Spans:
    """Return the whole blocks of the places of a file, the longest first, the others as they lie on the disk.

    :raises Refused: HIB-E-TARGET-FRAGMENTS, they are too many, or too short.
    """
    whole = [(start, start + (end - start) // BLOCK * BLOCK) for _, start, end in places if end - start >= BLOCK]
    longest = max(whole, key=lambda span: span[1] - span[0], default=(0, 0))
    found = (longest, *sorted(span for span in whole if span != longest))
    if len(found) > ranges.MOST or longest[1] - longest[0] < ranges.LEAST_FIRST:
        what = _("{path} lies in {count} pieces, the longest of {size}").format(
            path=path, count=len(found), size=size(longest[1] - longest[0])
        )
        raise Refused(
            what, hint=_("free some room on its filesystem; then {anew}").format(anew=_(ANEW)), ident="HIB-E-TARGET-FRAGMENTS"
        )
    return found


def refuse_encrypted(devices: Sequence[BlockDevice], device: BlockDevice, path: Path) -> None:
    """Refuse an image that is not sealed below encryption.

    :raises Refused: HIB-E-TARGET-SEAL.
    """
    if crypt := _encrypted(devices, device):
        what = _("{path} lies on the encrypted {crypt}, and the image would not be encrypted").format(path=path, crypt=crypt)
        raise Refused(what, hint=_("make a seal first: khib seal"), ident="HIB-E-TARGET-SEAL")


def moved(path: Path, why: str) -> Refused:
    """Make the refusal of what lies so that nobody but its owner may write it."""
    return Refused(
        _("{path} cannot be written from below: {why}").format(path=path, why=why), hint=_(ANEW), ident="HIB-E-TARGET-MOVED"
    )


def _one_leaf(places: Sequence[Place], devices: Sequence[BlockDevice], path: Path) -> BlockDevice:
    names = dict.fromkeys(name for name, _, _ in places)
    leaves = [device for device in devices if device.name in names]
    if len(names) != 1 or len(leaves) != 1 or not is_real(leaves[0]):
        raise moved(
            path,
            _("it lies on {places}, and must lie on one disk or partition").format(places=", ".join(names) or _("nothing")),
        )
    return leaves[0]


def _encrypted(devices: Sequence[BlockDevice], device: BlockDevice) -> str:
    """Return the name of an encrypted device at or below a device; '' if there is none."""
    if text(Path("/sys/class/block") / device.name / "dm/uuid", 256).startswith("CRYPT-"):
        return device.path
    below = [item for item in devices if item.name in device.slaves]
    return next(filter(None, (_encrypted(devices, item) for item in below)), "")
