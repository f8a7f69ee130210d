"""What stands in for the kernel: system calls that are noted instead of done, and a page table."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khib_tui.linux import syscalls
from khib_tui.model.units import PAGE

NAMES = {syscalls.SYS_KEXEC_LOAD: "kexec_load", syscalls.SYS_REBOOT: "reboot"}


class FakeKernel:
    """Takes the place of the C library in `linux.syscalls`.

    `calls` are the names of what was called, `synced` the places that were written back, `loaded` what kexec_load was given:
    the address and the bytes of each segment that has any. `errors` gives errnos by name; `jump` is done by reboot.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.synced: list[str] = []
        self.loaded: dict[int, bytes] = {}
        self.swapped: list[tuple[int, int]] = []
        self.entry = self.flags = self.command = 0
        self.errors: dict[str, int] = {}
        self.jump: Callable[[], None] = lambda: None
        monkeypatch.setattr(syscalls, "_libc", self)
        monkeypatch.setattr(os, "sync", lambda: self.calls.append("sync"))

    def syscall(self, number: ctypes.c_long, *given: Any) -> int:
        """Take one of the calls that have no function of their own."""
        name = NAMES[number.value]
        if name == "kexec_load" and not given[1].value:
            name = "unload"
        if self._fails(name):
            return -1
        if name == "kexec_load":
            self._load(*given)
        elif name == "reboot":
            self.command = given[2].value
            self.jump()
        return 0

    def syncfs(self, fd: int) -> int:
        """Note which place was written back."""
        self.synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        return -1 if self._fails(f"syncfs {self.synced[-1]}") else 0

    def _fails(self, name: str) -> bool:
        self.calls.append(name)
        ctypes.set_errno(self.errors.get(name, 0))
        return name in self.errors

    def _load(self, entry: ctypes.c_ulong, count: ctypes.c_ulong, segments: Any, flags: ctypes.c_ulong) -> None:
        self.entry, self.flags = entry.value, flags.value
        parts = [segments[number] for number in range(count.value)]
        self.swapped = [(part.mem, part.mem + part.memsz) for part in parts]
        self.loaded = {part.mem: ctypes.string_at(part.buf, part.bufsz) for part in parts if part.bufsz}


class Pagemap:
    """A page table in which page n of any pool lies at the n-th address."""

    def __init__(self, path: Path, addresses: list[int]) -> None:
        self.path, self.addresses, self.first = path, addresses, -1
        self.at = 0

    def open(self, *_: object, **__: object) -> Pagemap:
        return self

    def __enter__(self) -> Pagemap:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def seek(self, offset: int) -> None:
        self.first = offset // 8 if self.first < 0 else self.first
        self.at = offset // 8 - self.first

    def read(self, _: int) -> bytes:
        address = self.addresses[self.at] if self.at < len(self.addresses) else 0
        return struct.pack("<Q", address // PAGE | (1 << 63 if address else 0))
