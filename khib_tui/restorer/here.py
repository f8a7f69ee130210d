"""Whether this system is the restoring kernel's: elsewhere nothing may be restored, nor the console be taken."""

from __future__ import annotations

from pathlib import Path

from khib_tui.errors import ImageError
from khib_tui.facts.read import data
from khib_tui.i18n import _

_ROOT = Path("/")
_OURS = b"khib_tui.init"


def is_restorer(root: Path = _ROOT) -> bool:
    """Return whether the root is khib's own initramfs, which nothing but its `/init` has started."""
    return _OURS in data(root / "init", 4096)


def refuse_elsewhere(root: Path = _ROOT) -> None:
    """See that this is the restoring kernel.

    :raises ImageError: HIB-E-NOT-RESTORER, it is a system in use, whose memory cannot be overwritten.
    """
    if not is_restorer(root):
        raise ImageError(
            _("this is a running system, not the restoring kernel: nothing can be resumed from here"),
            ident="HIB-E-NOT-RESTORER",
            hint=_(
                "restart, and choose 'Resume the hibernated system (khib)' in the boot menu; `khib image list` shows images"
            ),
        )
