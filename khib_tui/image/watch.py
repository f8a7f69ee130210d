"""How much memory B or C had left while it worked."""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType

from khib_tui.i18n import _
from khib_tui.image.threads import available
from khib_tui.model.units import PAGE, size

_SECONDS = 0.2


def total() -> int:
    """Return the bytes of memory that this kernel has after its start."""
    return os.sysconf("SC_PHYS_PAGES") * PAGE


class Watch:
    """Looks for the least memory that can be had during a `with`, some times a second."""

    def __init__(self) -> None:
        self.lowest = available()
        self._over = threading.Event()
        self._thread = threading.Thread(target=_look, args=(weakref.ref(self), self._over), daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def words(self, who: str) -> str:
        """Say how much was free at the lowest, up to now.

        :param who: has that memory.
        """
        return _("memory of the {who}: {free} of {total} free at its lowest").format(
            who=_(who), free=size(self.lowest), total=size(total())
        )


def _look(owner: weakref.ref[Watch], over: threading.Event) -> None:
    """Look until it is over, or nobody is left who could say so."""
    while not over.wait(_SECONDS) and (watch := owner()):
        watch.lowest = min(watch.lowest, available())
        del watch
