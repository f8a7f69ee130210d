"""A swap of A's, lent to the image: whether it can take it, and whether what is swapped out fits back into memory. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from khib_tui.decide.content import stop
from khib_tui.decide.ramdisk import made_of_ram
from khib_tui.events.types import Finding, Severity
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
        what = f"{target.name} is on no disk of this machine"
        return [stop("MISSING", what, "the saver writes to disks only", "choose another place")]
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
    what = f"{size(used)} are swapped out to {target.name}"
    why = f"to bring them back and load the saver takes {size(need)}, {size(machine.mem_available)} of memory are free"
    return [Finding("HIB-E-SWAP-FULL", Severity.BLOCKER, what, why, "close programs that need much memory")]


def deed(machine: Machine, target: Target) -> Finding:
    """Say what becomes of the swap."""
    swap, name = swap_of(machine, target), target.name
    back = f" ({size(swap.used)} come back into memory)" if swap and swap.used else ""
    what = f"swap {name} is lent to the image: swapped off{back}, and on again when this system is back"
    what = what if swap else f"swap {name} is lent to the image; it is off, and stays so"
    return Finding("HIB-W-SWAP-LENT", Severity.OK, what, "its UUID, label and size stay; a normal start has it back by itself")


def _kind(device: BlockDevice, target: Target) -> Iterator[Finding]:
    fstype, name = device.fstype, target.name
    if target.path and fstype not in OWN_FILE_SYSTEMS:
        why = f"a file that is written beneath its filesystem can be on {', '.join(OWN_FILE_SYSTEMS)} only"
        yield stop("FILESYSTEM", f"{name} lies on {fstype or 'no filesystem that is known'}", why, "choose another place")
    if not target.path and not device.swap and fstype not in (SWAP, LENT_SWAP):
        what = f"{name} is no swap{f': it holds {fstype}' if fstype else ''}"
        yield stop("FOREIGN", what, "the image would overwrite what is there", "name a swap, or choose another place")


def _below(machine: Machine, device: BlockDevice, target: Target) -> Iterator[Finding]:
    leaf = targets.under(machine.devices, target)
    if device.kind in ("zram", "ram") or made_of_ram(machine, device):
        what = f"{target.name} is made of memory"
        yield stop("RAM", what, "what is on it is gone when the power goes", "choose a swap on a disk")
    elif leaf is None or leaf.kind not in ("disk", "partition") or device.kind not in PLACES:
        what = f"{target.name} lies on several disks, or on something that is no disk"
        yield stop("STACK", what, "the saver writes to one disk, past all that lies above it", "choose another place")
    elif not target.path and device.mounts:
        yield stop("MOUNTED", f"{device.path} is mounted", "it is no swap", "choose another place")


def _limits(machine: Machine, device: BlockDevice, target: Target, need_bytes: int) -> Iterator[Finding]:
    count, name = bytes_of(machine, target), target.name
    if device.read_only:
        yield stop("READONLY", f"{device.path} is read-only", "the image cannot be written", "choose another place")
    if 0 < count < need_bytes:
        what = f"{name} has {size(count)}, the image may need {size(need_bytes)}"
        yield stop("SMALL", what, "saving would stop for lack of room", "make it larger, or choose another place")
