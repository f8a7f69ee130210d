"""One run of the QEMU machine: a process, its console, and the line that carries events and commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from khib_tui import runner
from khib_tui.errors import CommandFailed
from khib_tui.events.types import Event, decode
from khib_tui.lab import monitor, qmp
from khib_tui.lab.hardware import Boot, Hardware

NUDGE = 40.0  # seconds of silence, after which a machine is nudged
BUSY = 2  # so many times as long
# One look may meet a busy machine between two reads of its disk.
LOOKS, BETWEEN = 8, 0.25
TIME_TO_WRITE = 10.0


@dataclass
class Vm:
    """A running machine."""

    process: Any
    line: socket.socket
    console: socket.socket | None
    started: float
    directory: Path
    pending: bytes = b""
    ended: float = 0.0
    held: float = 0.0
    seen: list[Event] = field(default_factory=list)
    nudges: list[str] = field(default_factory=list)
    keeper: threading.Thread | None = None

    def _heard(self, timeout: float) -> bytes:
        """Wait for what the guest says; b'' if it has powered off.

        Emulated, processors that all wait may have missed their timer, and would wait for ever: they are nudged. While one of
        them runs, or the host's disk is waited for, the machine is not silent but slow, and gets `BUSY` times as long.

        :raises CommandFailed: it says nothing for `timeout` seconds.
        """
        began, nudged, last = time.monotonic(), "", 0.0
        while time.monotonic() < began + timeout * BUSY:
            self.line.settimeout(min(timeout, NUDGE))
            try:
                data = self.line.recv(65536)
            except TimeoutError:
                told = self.nudge(len(nudged) > 0)
                if told and time.monotonic() > began + timeout:
                    break
                nudged, last = nudged + told, time.monotonic()
                continue
            except ConnectionError:
                return b""
            if nudged:
                self.nudges.append(f"{nudged}it went on {time.monotonic() - last:.1f} s later")
            return data
        where, silent = monitor.processors(self.directory), time.monotonic() - began
        raise CommandFailed(f"the machine was silent for {silent:.0f} s; {where}", ident="HIB-E-LAB-SILENT")

    def nudge(self, again: bool) -> str:
        """Nudge the machine if all its processors wait; gives where they are and how it was done, '' if it is only slow.

        :param again: the first way did not help.
        """
        where = ""
        for _ in range(LOOKS):
            where = monitor.processors(self.directory)
            if not monitor.all_wait(where) or monitor.waits_for_disk(self.process.pid):
                return ""
            time.sleep(BETWEEN)
        way = monitor.NUDGES[again]
        monitor.nudge(self.directory, way)
        return f"{where}, {way}; "

    def lines(self, timeout: float) -> Iterator[bytes]:
        """Yield what the guest says, line by line, until it powers off.

        :raises CommandFailed: it says nothing for `timeout` seconds.
        """
        while True:
            while b"\n" in self.pending:
                line, self.pending = self.pending.split(b"\n", 1)
                yield line.strip(b"\r\0")
            data = self._heard(timeout)
            if not data:
                return
            self.pending += data

    def events(self, timeout: float = 240) -> Iterator[Event | dict[str, Any]]:
        """Yield events as they come; what is JSON but no event of ours comes as a dictionary."""
        for line in self.lines(timeout):
            # A firmware may have drawn on this line before, or a kernel have left half an event in the UART when it jumped.
            line = line[max(line.find(b'{"'), line.rfind(b'{"event":')) :]
            if not line.startswith(b"{"):
                continue
            try:
                event: Event = decode(line)
            except msgspec.ValidationError:
                yield json.loads(line)
                continue
            except msgspec.DecodeError:
                continue
            self.seen.append(event)
            yield event

    def tell(self, **command: object) -> None:
        """Send the guest's agent a command."""
        self.line.sendall(json.dumps(command).encode() + b"\n")

    def type(self, keys: bytes) -> None:
        """Type on the console."""
        assert self.console is not None
        self.console.sendall(keys)

    def wait(self, timeout: float = 120) -> int:
        """Wait for power-off.

        :raises CommandFailed: it does not come.
        """
        began, looked = time.monotonic(), 0
        while self.process.poll() is None:
            silent = time.monotonic() - began
            if silent > timeout:
                where = monitor.processors(self.directory)
                raise CommandFailed(f"the machine did not power off in {timeout:.0f} s; {where}", ident="HIB-E-LAB-SILENT")
            if silent > NUDGE * (looked + 1):
                self.nudge(looked > 0)
                looked += 1
            time.sleep(0.05)
        self.ended = time.monotonic()
        self.join_keeper()
        return int(self.process.returncode)

    def join_keeper(self) -> None:
        """Wait until all that the console said is in its log; the machine is off."""
        if self.keeper:
            self.keeper.join(TIME_TO_WRITE)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold the whole machine still for the time of a `with`."""
        os.kill(self.process.pid, signal.SIGSTOP)
        held = time.monotonic()
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)
            self.held += time.monotonic() - held

    @property
    def seconds(self) -> float:
        """How long the machine has been running, without the times it was held."""
        return (self.ended or time.monotonic()) - self.started - self.held

    def kill(self) -> None:
        """Pull the plug."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.join_keeper()
        self.close()

    def close(self) -> None:
        """Close its lines."""
        self.line.close()
        if self.console:
            self.console.close()


def start(hardware: Hardware, boot: Boot, log: Path) -> Vm:
    """Switch the machine on; its console goes to a file, keys can be typed through `Vm.type`."""
    # the path of a socket has at most 107 bytes, and that of a folder may have more
    folder = os.open(hardware.directory, os.O_PATH | os.O_DIRECTORY)
    line, console = (f"/proc/self/fd/{folder}/{name}.sock" for name in ("line", "console"))
    for path in (line, console):
        Path(path).unlink(missing_ok=True)
    words = [*hardware.arguments(), *boot.arguments(), *monitor.arguments(folder), *qmp.arguments(folder)]
    serve = "server=on,wait=on"
    words += ["-chardev", f"socket,id=con,path={console},{serve}", "-serial", "chardev:con"]
    words += ["-chardev", f"socket,id=line,path={line},{serve}", "-serial", "chardev:line"]
    errors = hardware.directory / "qemu.log"
    try:
        with errors.open("ab") as stream:
            process = runner.spawn(words, stdout=stream, stderr=stream, pass_fds=(folder,))
        console_socket = _connect(console, process, errors)
        keeper = threading.Thread(target=_keep, args=(console_socket, log), daemon=True)
        keeper.start()
        events = _connect(line, process, errors)
        return Vm(process, events, console_socket, time.monotonic(), hardware.directory, keeper=keeper)
    finally:
        os.close(folder)


def _connect(path: str, process: Any, errors: Path) -> socket.socket:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(path)
        except OSError:
            link.close()
            time.sleep(0.02)
            continue
        return link
    raise CommandFailed("QEMU did not start", hint=f"see {errors}", ident="HIB-E-LAB-QEMU")


def _keep(link: socket.socket, log: Path) -> None:
    """Write down what the console says, so that it never waits.

    QEMU's own log of a socket has a byte twice whenever the socket was full and took it at the second try.
    """
    with suppress(OSError), log.open("ab", buffering=0) as stream:
        while data := link.recv(65536):
            stream.write(data)
