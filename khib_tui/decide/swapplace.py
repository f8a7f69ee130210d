"""A swap of A's, lent to the image: whether it can take it, and whether what is swapped out fits back into memory. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from khib_tui.decide.content import stop
from khib_tui.decide.ramdisk import made_of_ram
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice, Machine, Swap
from khib_tui.model.target import LENT_SWAP, OWN_FILE_SYSTEMS, SWAP, Target
from khib_tui.model.units import MIB, size

PLACES = ("partition", "disk", "dm")
ROOM = 64 * MIB
"""Memory that is left besides, so that nothing is short of it between here and the jump."""


def swap_of(machine: Machine, target: Target) -> Swap | None:
    """Return what is known of an active swap; None if it is off."""
    device = machine.device(target.device)
    found = [swap for swap in device.swaps if swap.path == target.path] if device else []
    if device and device.swap and not target.path and not found:
        return Swap(device.size, 0)
    return found[0] if found else None


def bytes_of(machine: Machine, target: Target) -> int:
    """Return how large a swap is; 0 for a file that is off: whoever takes it looks."""
    swap, device = swap_of(machine, target), machine.device(target.device)
    return swap.size if swap else device.size if device and not target.path else 0


def refusals(machine: Machine, target: Target, need_bytes: int) -> list[Finding]:
    """Return why a swap cannot take an image of `need_bytes`; all blockers, empty if it can.

    Whether what is swapped out fits into memory is `pressing`'s: it changes by the minute.
    """
    device = machine.device(target.device)
    if device is None:
        what = _("{target} is on no disk of this machine").format(target=target.name)
        return [stop("MISSING", what, _("the saver writes to disks only"), _("choose another place"))]
    return [*_kind(device, target), *_below(machine, device, target), *_limits(machine, device, target, need_bytes)]


def pressing(machine: Machine, target: Target, saver_bytes: int) -> list[Finding]:
    """Return that what is swapped out does not fit into memory beside the saver; a blocker, or nothing.

    :param saver_bytes: memory that loading the saver takes.
    """
    swap = swap_of(machine, target)
    used = swap.used if swap else 0
    need = used + saver_bytes + ROOM
    if not used or need <= machine.mem_available:
        return []
    what = _("{size} are swapped out to {target}").format(size=size(used), target=target.name)
    why = _("to bring them back and load the saver takes {needed}, {free} of memory are free").format(
        needed=size(need), free=size(machine.mem_available)
    )
    return [Finding("HIB-E-SWAP-FULL", Severity.BLOCKER, what, why, _("close programs that need much memory"))]


def deed(machine: Machine, target: Target) -> Finding:
    """Say what becomes of the swap."""
    swap, name = swap_of(machine, target), target.name
    back = _(" ({size} come back into memory)").format(size=size(swap.used)) if swap and swap.used else ""
    what = _("swap {name} is lent to the image: swapped off{back}, and on again when this system is back").format(
        name=name, back=back
    )
    what = what if swap else _("swap {name} is lent to the image; it is off, and stays so").format(name=name)
    return Finding(
        "HIB-E-SWAP-FULL", Severity.OK, what, _("its UUID, label and size stay; a normal start has it back by itself")
    )


def _kind(device: BlockDevice, target: Target) -> Iterator[Finding]:
    fstype, name = device.fstype, target.name
    if target.path and fstype not in OWN_FILE_SYSTEMS:
        why = _("a file that is written beneath its filesystem can be on {kinds} only").format(
            kinds=", ".join(OWN_FILE_SYSTEMS)
        )
        yield stop(
            "FILESYSTEM",
            _("{name} lies on {held}").format(name=name, held=fstype or _("no filesystem that is known")),
            why,
            _("choose another place"),
        )
    if not target.path and not device.swap and fstype not in (SWAP, LENT_SWAP):
        form = _("{name} is no swap: it holds {fstype}") if fstype else _("{name} is no swap")
        what = form.format(name=name, fstype=fstype)
        yield stop("FOREIGN", what, _("the image would overwrite what is there"), _("name a swap, or choose another place"))


def _below(machine: Machine, device: BlockDevice, target: Target) -> Iterator[Finding]:
    leaf = targets.under(machine.devices, target)
    if device.kind in ("zram", "ram") or made_of_ram(machine, device):
        what = _("{target} is made of memory").format(target=target.name)
        yield stop("RAM", what, _("what is on it is gone when the power goes"), _("choose a swap on a disk"))
    elif leaf is None or leaf.kind not in ("disk", "partition") or device.kind not in PLACES:
        what = _("{target} lies on several disks, or on something that is no disk").format(target=target.name)
        yield stop("STACK", what, _("the saver writes to one disk, past all that lies above it"), _("choose another place"))
    elif not target.path and device.mounts:
        yield stop(
            "MOUNTED", _("{device} is mounted").format(device=device.path), _("it is no swap"), _("choose another place")
        )


def _limits(machine: Machine, device: BlockDevice, target: Target, need_bytes: int) -> Iterator[Finding]:
    count, name = bytes_of(machine, target), target.name
    if device.read_only:
        yield stop(
            "READONLY",
            _("{device} is read-only").format(device=device.path),
            _("the image cannot be written"),
            _("choose another place"),
        )
    if 0 < count < need_bytes:
        what = _("{name} has {size}, the image may need {needed}").format(name=name, size=size(count), needed=size(need_bytes))
        yield stop("SMALL", what, _("saving would stop for lack of room"), _("make it larger, or choose another place"))
