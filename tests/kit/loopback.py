"""Servers on the loopback of this machine."""

from __future__ import annotations

import socket
import time
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 60.0


def free_port() -> int:
    """Return a port of the loopback that nobody uses."""
    with socket.socket() as link:
        link.bind((HOST, 0))
        return int(link.getsockname()[1])


def until_listening(port: int, log: Path) -> None:
    """Wait until a server answers.

    :raises TimeoutError: it does not; what its log says.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as link:
            if link.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(log.read_text())
