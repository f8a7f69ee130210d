"""A swap of A's as the image's place: looked at, lent late in a journey, and had back whatever becomes of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec import Struct

from khib_tui.decide.choice import Choice
from khib_tui.decide.swapplace import ROOM
from khib_tui.errors import KhibError, Refused
from khib_tui.events.types import Level, Message
from khib_tui.facts import blockdev
from khib_tui.facts.memory import meminfo
from khib_tui.facts.usage import ActiveSwap
from khib_tui.i18n import _
from khib_tui.model import target as targets
from khib_tui.model.identity import TargetRef
from khib_tui.model.target import Target
from khib_tui.model.units import size
from khib_tui.plan.ownfile import refuse_other_guard
from khib_tui.plan.step import Context
from khib_tui.target import swap, swapheader
from khib_tui.target.swap import Area


def chosen(choice: Choice) -> Target:
    """Return the swap that was chosen."""
    assert choice.target is not None
    return choice.target


def area(choice: Choice) -> Area:
    """Find where the swap lies now.

    :raises Refused: it is not there, or cannot be lent.
    """
    return swap.located(chosen(choice), blockdev.devices(), sealed=choice.sealed)


class TakeSwap(Struct, frozen=True):
    """Find where the swap lies, below all that is above the disk; it stays on.

    :param again: of a journey: whoever looks at the image before A starts must know the place too.
    """

    choice: Choice
    again: bool = False

    def describe(self) -> str:
        """Return what is looked at."""
        return _("see where the swap {path} lies on the disk, and that it can be lent to the image").format(
            path=swap.path_of(chosen(self.choice))
        )

    def apply(self, context: Context) -> None:
        """Find it, for the steps that follow.

        :raises Refused: it cannot be lent, has an image that waits, or the guard of normal starts would look at another place.
        """
        swap.refuse_other_tools()
        found = area(self.choice)
        swap.refuse_waiting(found, chosen(self.choice), blockdev.devices())
        if self.again:
            refuse_other_guard(found.place, str(chosen(self.choice)))
        context.place = found.place


class LendSwap(Struct, frozen=True):
    """Swap off, and lend the swap to the image; from here on A has it back whatever happens."""

    choice: Choice

    def describe(self) -> str:
        """Return what is done, and what for."""
        path = swap.path_of(chosen(self.choice))
        return _(
            "swap off {path}, if what is in it fits into memory, and lend it to the image: it is no swap until it is back"
        ).format(path=path)

    def apply(self, context: Context) -> None:
        """Lend it.

        :raises Refused: what is swapped out does not fit into memory, or the swap has moved.
        """
        target = chosen(self.choice)
        was, path = swap.active(target), swap.path_of(target)
        refuse_pressing(was, self.choice.region.needed_memory)
        context.lent.callback(partial(have_back, target, was, context))
        if was:
            context.sink(Message(_("swapping off: {size} come back into memory").format(size=size(was.used))))
            swap.off(target)
        dead = not swapheader.lent(swapheader.read(path))
        swapheader.lend(path)
        found = area(self.choice)
        if found.place != context.place:
            raise Refused(
                _("{path} has moved on the disk").format(path=path), ident="HIB-E-TARGET-MOVED",
                hint=_("let what moves it (pvmove, a balance) end, and run `khib setup` again"),
            )  # fmt: skip
        left = swap.image_in(found, blockdev.devices()) if dead else None
        context.watched, context.dead = (found.header,), left.image_id if left else ""
        context.moved = self.moved

    def moved(self, place: TargetRef) -> bool:
        """Return whether it is not any more as it was lent."""
        target = chosen(self.choice)
        return bool(swap.active(target)) or not swapheader.lent(swapheader.read(swap.path_of(target))) or (
            area(self.choice).place != place
        )  # fmt: skip


class HaveSwapBack(Struct, frozen=True):
    """Make a swap of it again, and swap on as before."""

    choice: Choice

    def describe(self) -> str:
        """Return what is done."""
        return _("have {path} back as swap, with UUID and label as before, and swap on").format(
            path=swap.path_of(chosen(self.choice))
        )

    def apply(self, context: Context) -> None:
        """Have it back; if that fails it is told, for the session goes on without swap."""
        context.lent.close()


def refuse_pressing(was: ActiveSwap | None, saver_bytes: int) -> None:
    """See that what is swapped out fits into the memory that is free now, beside the saver.

    :raises Refused: HIB-E-SWAP-FULL.
    """
    used, free = was.used if was else 0, meminfo(Path("/"), "MemAvailable")
    if used and used + saver_bytes + ROOM > free:
        need = size(used + saver_bytes + ROOM)
        raise Refused(
            _(
                "{swapped} are swapped out; to have them back and load the saver takes {needed}, {free} of memory are free"
            ).format(swapped=size(used), needed=need, free=size(free)),
            hint=_("close programs that need much memory"),
            ident="HIB-E-SWAP-FULL",
        )


def have_back(target: Target, was: ActiveSwap | None, context: Context) -> None:
    """Make a swap of a lent one again, and swap on if it was on."""
    path = swap.path_of(target)
    try:
        if swap.active(target):
            return
        swapheader.take_back(path)
        if was:
            swap.on(target, was)
    except (KhibError, OSError) as error:
        text = _("{path} is not swap again: {error}; see to it, then `swapon {path}`").format(path=path, error=error)
        context.sink(Message(text, Level.ERROR))


def give_back(text: str, context: Context) -> None:
    """Have the swap of the settings back after an image in it was given up, on as fstab says.

    :param text: the settings' target, whatever it is.
    """
    target = targets.resolved(targets.parse(text), blockdev.devices())
    path = swap.path_of(target)
    if not target.swap or swap.active(target) or not swapheader.lent(swapheader.read(path)):
        return
    swapheader.take_back(path)
    swap.on(target, None)
    context.sink(Message(_("{path} is swap again").format(path=path)))
