"""What QEMU tells of a machine by itself: that it sleeps, wakes, is switched off, and how (QMP's events)."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from khib_tui.errors import CommandFailed

NAME = "qmp.sock"


def arguments(folder: int) -> list[str]:
    """Return QEMU's words for it.

    :param folder: the open folder of the machine, which QEMU inherits; the path of a socket has at most 107 bytes.
    """
    return ["-qmp", f"unix:/proc/self/fd/{folder}/{NAME},server=on,wait=off"]


class Listener:
    """Hears the events of the machine in `directory`, until it is off or this is closed: `heard` has their names in order.

    QEMU talks to one at a time.
    """

    def __init__(self, directory: Path) -> None:
        self.heard: list[str] = []
        self.link = socket.socket(socket.AF_UNIX)
        folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        try:
            self.link.connect(f"/proc/self/fd/{folder}/{NAME}")
        finally:
            os.close(folder)
        self.link.sendall(b'{"execute": "qmp_capabilities"}\n')
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with self.link, self.link.makefile("rb") as stream:
            try:
                for line in stream:
                    if name := json.loads(line).get("event"):
                        self.heard.append(name)
            except OSError:
                return

    def close(self) -> None:
        """Hear no more."""
        with suppress(OSError):
            self.link.shutdown(socket.SHUT_RDWR)

    def until(self, name: str, seconds: float) -> None:
        """Wait for an event.

        :raises CommandFailed: it does not come in time.
        """
        deadline = time.monotonic() + seconds
        while name not in self.heard:
            if time.monotonic() > deadline:
                raise CommandFailed(f"no {name} in {seconds:.0f} s; heard {self.heard}", ident="HIB-E-LAB-SILENT")
            time.sleep(0.1)
