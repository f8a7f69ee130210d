"""The seal of this machine: making it, and taking it away."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from khib_tui.i18n import _
from khib_tui.plan.step import Context
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal


class KeepSeal(Struct, frozen=True):
    """Seal later images.

    :param seal: None as long as it is only described.
    """

    path: Path
    seal: Seal | None = None

    def __repr__(self) -> str:
        """Say nothing of the seal."""
        return f"KeepSeal({self.path})"

    def describe(self) -> str:
        """Return what is written where."""
        text = _("write {path} (mode 0600): a new master key for {cipher}, wrapped for a passphrase and a recovery key")
        if self.path.exists():
            text = _("replace {path} (mode 0600): a new master key for {cipher}, wrapped for a passphrase and a recovery key")
        return text.format(path=self.path, cipher=self.seal.cipher if self.seal else crypto.best_cipher())

    def apply(self, context: Context) -> None:
        """Write it."""
        assert self.seal is not None
        sealfile.save(self.seal, self.path)
        context.changed = True


class RemoveSeal(Struct, frozen=True):
    """Seal no later images."""

    path: Path

    def describe(self) -> str:
        """Return what is removed."""
        return _("remove {path}: new images will not be sealed").format(path=self.path)

    def apply(self, context: Context) -> None:
        """Remove it."""
        context.changed |= sealfile.remove(self.path)
