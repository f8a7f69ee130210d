"""QEMU's monitor: looking at a machine from outside, when it says nothing itself."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from pathlib import Path

from khib_tui.facts.read import text

NAME = "monitor.sock"
# First what wakes a machine that only the emulator has let sleep, and that sees nothing of it; then a key without a meaning.
NUDGES = ("stop and cont", "sendkey ctrl")
_PROMPT = b"(qemu) "
_PLACE = re.compile(r"^CPU#\d+|\b[ER]IP=[0-9a-f]+|\bHLT=\d", re.MULTILINE)


def arguments(folder: int) -> list[str]:
    """Return QEMU's words for it.

    :param folder: the open folder of the machine, which QEMU inherits; the path of a socket has at most 107 bytes.
    """
    return ["-monitor", f"unix:/proc/self/fd/{folder}/{NAME},server=on,wait=off"]


def ask(directory: Path, command: str, seconds: float = 5) -> str:
    """Return what the monitor of the machine in `directory` answers to a command.

    :raises OSError: it does not answer within `seconds`.
    """
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(seconds)
            link.connect(f"/proc/self/fd/{folder}/{NAME}")
            _until_prompt(link)
            link.sendall(command.encode() + b"\n")
            return _until_prompt(link)
    finally:
        os.close(folder)


def processors(directory: Path) -> str:
    """Return in one line where each processor is, and whether it waits; why not, if that cannot be known."""
    try:
        return " ".join(_PLACE.findall(ask(directory, "info registers -a")))
    except OSError as error:
        return f"the monitor does not answer: {error}"


def all_wait(places: str) -> bool:
    """Return whether every processor waits for an interrupt.

    :param places: what `processors` returned.
    """
    return "HLT=1" in places and "HLT=0" not in places


def waits_for_disk(pid: int, proc: Path = Path("/proc")) -> bool:
    """Return whether a thread of the emulator waits for the host's own disk, which a busy host lets it do for long."""
    states = (text(path / "stat", 4096).rpartition(")")[2].split() for path in (proc / str(pid) / "task").glob("*"))
    return any(state[:1] == ["D"] for state in states)


def nudge(directory: Path, way: str) -> None:
    """Nudge a machine in one of `NUDGES`."""
    with suppress(OSError):
        for command in way.split(" and "):
            ask(directory, command)


def _until_prompt(link: socket.socket) -> str:
    data = b""
    while not data.endswith(_PROMPT):
        more = link.recv(65536)
        if not more:
            raise ConnectionResetError("the machine is off")
        data += more
    return data.removesuffix(_PROMPT).decode(errors="replace")
