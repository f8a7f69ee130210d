"""A file of A's own filesystem as the image's place: made, found again before each journey, and taken away."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from khib_tui.decide.choice import Choice, image_limit
from khib_tui.errors import Refused
from khib_tui.facts import blockdev
from khib_tui.guard.files import SETTINGS, placed_at
from khib_tui.i18n import _
from khib_tui.image.ranges import first_sector
from khib_tui.model.identity import TargetRef
from khib_tui.model.units import size
from khib_tui.plan.step import Context
from khib_tui.target import ownfile

GUARD = Path("/", SETTINGS)


class MakeFile(Struct, frozen=True):
    """Make the file, or a larger one in its place."""

    choice: Choice

    def describe(self) -> str:
        """Return what is made where."""
        target, count = self.choice.target, size(ownfile.length(image_limit(self.choice.region)))
        assert target is not None
        return _("make {target} of {count} on {device}, for images only, and see that nothing moves it (chattr +i)").format(
            target=target.path, count=count, device=target.device
        )

    def apply(self, context: Context) -> None:
        """Make it unless it is there.

        :raises Refused: there is no room, something else is there, or an image waits in the smaller one.
        """
        target, need = self.choice.target, image_limit(self.choice.region)
        assert target is not None
        if not ownfile.there(Path(target.path), need):
            ownfile.refuse_waiting(Path(target.path), blockdev.devices())
            context.changed = True
            ownfile.make(Path(target.path), need)


class TakeFile(Struct, frozen=True):
    """Find where the file lies now, below its filesystem.

    :param again: of a journey: whoever looks at the image before A starts must know the place too.
    """

    choice: Choice
    again: bool = False

    def describe(self) -> str:
        """Return what is looked at."""
        target = self.choice.target
        assert target is not None
        return _("see where {target} lies on the disk, and that it stays there").format(target=target.path)

    def find(self) -> TargetRef:
        """Find it.

        :raises Refused: it is not there, or lies so that nobody but its filesystem may write it.
        """
        target = self.choice.target
        assert target is not None
        need, sealed = image_limit(self.choice.region), self.choice.sealed
        try:
            return ownfile.located(Path(target.path), blockdev.devices(), need, sealed=sealed)
        except FileNotFoundError:
            raise Refused(
                _("{target} is not there").format(target=target.path), hint=_("run `khib setup`"), ident="HIB-E-TARGET-MISSING"
            ) from None

    def apply(self, context: Context) -> None:
        """Find it, for the steps that follow.

        :raises Refused: as `find` says, or the guard of normal starts would look at another place.
        """
        context.place = place = self.find()
        if self.again:
            refuse_other_guard(place, self.choice.target.path if self.choice.target else "")
        context.moved = self.moved

    def moved(self, place: TargetRef) -> bool:
        """Return whether the file does not lie any more where it did."""
        return self.find() != place


def refuse_other_guard(place: TargetRef, name: str) -> None:
    """See that the guard of normal starts, where there is one, looks at the same place.

    :raises Refused: HIB-E-TARGET-MOVED, it does not.
    """
    if placed_at(GUARD) not in (None, first_sector(place.spans)):
        text = _("{name} lies at another place than when khib was set up").format(name=name)
        raise Refused(text, hint=_("run `khib setup` again"), ident="HIB-E-TARGET-MOVED")


class RemoveFile(Struct, frozen=True):
    """Take the file away."""

    path: Path

    def describe(self) -> str:
        """Return what is removed."""
        return _("remove {path}, and an image that is in it").format(path=self.path)

    def apply(self, context: Context) -> None:
        """Remove it."""
        context.changed |= ownfile.remove(self.path)
