"""How much room the image takes: at most, and by what memory holds now, before compression. Sizes are bytes."""

from __future__ import annotations

from khib_tui.decide import region, swapplace
from khib_tui.decide.freepages import policy
from khib_tui.events.types import Finding, Severity
from khib_tui.handover.handover import FreePages
from khib_tui.i18n import _
from khib_tui.model.machine import Machine
from khib_tui.model.target import Kind, Target
from khib_tui.model.units import MIB, size


def image_bytes(memory: int) -> int:
    """Return the bytes of an image of so much memory, uncompressed, with what stands around it."""
    return memory + memory // 512 + 8 * MIB


def likely(machine: Machine, most: int) -> int:
    """Return the bytes that an image needs if memory stays as it is now: what is not free, uncompressed; never above `most`.

    It is `most` where nobody counted the free pages, or where they must be saved too.
    """
    if not machine.mem_free or policy(machine) is FreePages.SAVE:
        return most
    used = max(region.system_ram(machine.iomem).total - machine.mem_free, 0)
    return min(image_bytes(used), most)


def needed(machine: Machine, target: Target, most: int) -> int:
    """Return the bytes that a place must have to be taken: a partition, disk or swap what is likely, a file the most.

    The room of a file is looked at, or taken, by what writes to its filesystem, which knows no words between yes and no.
    """
    if target.kind is Kind.SWAP:
        swap = swapplace.swap_of(machine, target)
        return min(likely(machine, most) + (swap.used if swap else 0), most)
    return likely(machine, most) if target.kind is Kind.PARTITION else most


def tight(machine: Machine, target: Target, most: int) -> list[Finding]:
    """Return the words for a place that holds the likely image but not the largest; [] for any other."""
    device = machine.device(target.device)
    there = swapplace.bytes_of(machine, target) if target.swap else device.size if device else 0
    if device is None or not needed(machine, target, most) <= there < most:
        return []
    wanted = _("the image likely needs less than {size}, {most} at most").format(
        size=size(likely(machine, most)), most=size(most)
    )
    what = _("{target} has {size}, {wanted}").format(target=target.name, size=size(there), wanted=wanted)
    why = _("if the place is full before all is saved, the session comes back, and is not hibernated")
    fix = _("nothing, or choose a larger place; it is looked at again at each hibernation")
    return [Finding("HIB-W-TARGET-TIGHT", Severity.WARNING, what, why, fix)]
