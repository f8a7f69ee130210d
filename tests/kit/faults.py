"""Calls that fail: the n-th one, once or from then on."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from khib_tui.events.types import Event
from khib_tui.jump import back
from khib_tui.target import place

MEDIUM = ("open", "close", "pwritev", "preadv", "fsync")
OTHERS = ("mmap", "thread", "sink", "ioctl", "mount", "umount", "kexec_load", "reboot")
ERRORS: dict[str, Callable[[], BaseException]] = {
    "thread": lambda: RuntimeError("can't start new thread"),
    "sink": lambda: BrokenPipeError(errno.EPIPE, "Broken pipe"),
    "mmap": lambda: OSError(errno.ENOMEM, "Cannot allocate memory"),
    "kexec_load": MemoryError,
}


@dataclass
class Faults:
    """Which call fails. Nothing does outside of `during`.

    :param at: number of the call among those of its kind, from 1 on; 0 fails none.
    :param on: whether all later ones fail too, of all kinds of the medium if it is one of those.
    :param short: a write is cut short instead of failing.
    """

    kind: str = ""
    at: int = 0
    on: bool = False
    short: bool = False
    armed: bool = False
    failing: bool = False
    seen: dict[str, int] = field(default_factory=dict)

    def during(self, work: Callable[[], Any]) -> Any:
        """Let calls fail while some work is done."""
        self.armed, self.failing, self.seen = True, False, {}
        try:
            return work()
        finally:
            self.armed = False

    def disarm(self) -> None:
        """Let nothing fail any more: this kernel does not run on."""
        self.armed = False

    def due(self, kind: str) -> bool:
        """Count a call, and tell whether it fails."""
        if not self.armed:
            return False
        self.seen[kind] = self.seen.get(kind, 0) + 1
        if kind == self.kind and self.seen[kind] == self.at:
            self.failing = self.on
            return True
        related = kind == self.kind or {kind, self.kind} <= set(MEDIUM)
        return self.failing and related

    def wrap(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Make a call one that can fail."""

        def call(*args: Any, **given: Any) -> Any:
            if not self.due(kind):
                return real(*args, **given)
            if kind == "close":
                real(*args, **given)  # the kernel has let go of it all the same
            if kind == "pwritev" and self.short:
                return real(args[0], [args[1][0][:512]], *args[2:])
            raise ERRORS.get(kind, lambda: OSError(errno.EIO, os.strerror(errno.EIO)))()

        return call

    def sink(self, event: Event) -> None:
        """Take an event, or fail."""
        self.wrap("sink", lambda: None)()

    def patch(self, patch: pytest.MonkeyPatch, reboot: Callable[..., Any], *modules: Any) -> None:
        """Put the calls in place, over the fakes."""
        for name in MEDIUM:
            patch.setattr(os, name, self.wrap(name, getattr(os, name)))
        patch.setattr(mmap, "mmap", self.wrap("mmap", mmap.mmap))
        patch.setattr(threading.Thread, "start", self.wrap("thread", threading.Thread.start))
        patch.setattr(fcntl, "ioctl", self.wrap("ioctl", fcntl.ioctl))
        for module, name in ((place, "mount"), (place, "umount"), (back, "kexec_load")):
            patch.setattr(module, name, self.wrap(name, getattr(module, name)))
        for module in modules:
            patch.setattr(module, "reboot", self.wrap("reboot", reboot))
