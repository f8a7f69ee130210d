"""A real sshd on the loopback of this machine, for this user alone, with keys and files of its own."""

from __future__ import annotations

import getpass
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from khib_tui.model.remote import Remote, Scheme
from khib_tui.runner import run, spawn
from tests.kit.loopback import free_port, until_listening

SSHD = "/usr/sbin/sshd"
needs_sshd = pytest.mark.skipif(
    not Path(SSHD).exists(), reason="openssh-server is not installed; it starts a service, so scripts/setup does not install it"
)


@dataclass
class Sshd:
    """The server: its folder, and its port on 127.0.0.1."""

    folder: Path
    port: int
    process: Any = None

    @property
    def authorized(self) -> Path:
        """The file with the keys that it takes."""
        return self.folder / "authorized_keys"

    def allow(self, public: str) -> None:
        """Take a key, for files alone."""
        self.authorized.write_text(f'restrict,command="internal-sftp" {public}\n')

    def place(self, name: str = "image.khib", host: str = "127.0.0.1") -> Remote:
        """Return a place for an image on it."""
        return Remote(Scheme.SSH, host, str(self.folder), name, user=getpass.getuser(), port=self.port)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words: list[str | Path] = [SSHD, "-D", "-e", "-f", self.folder / "sshd_config"]
        log = (self.folder / "sshd.log").open("ab")
        Path("/run/sshd").mkdir(exist_ok=True)
        self.process = spawn(words, stdout=log, stderr=log, start_new_session=True)
        until_listening(self.port, self.folder / "sshd.log")

    def stop(self) -> None:
        """End it with all its connections, as a power cut would."""
        if self.process and self.process.poll() is None:
            for child in self.children():
                os.kill(child, signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def children(self) -> list[int]:
        """Return the processes of its connections."""
        assert self.process
        found, todo = [], [self.process.pid]
        while todo:
            parent = todo.pop()
            for task in Path("/proc", str(parent), "task").glob("*/children"):
                below = [int(word) for word in task.read_text().split()]
                found += below
                todo += below
        return found


@contextmanager
def running(folder: Path) -> Iterator[Sshd]:
    """Give a server that runs, for the time of a `with`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Sshd(folder, free_port())
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"])
    lines = {
        "Port": made.port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "PidFile": "none", "UsePAM": "no",
        "AuthorizedKeysFile": made.authorized, "StrictModes": "no", "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password", "Subsystem": "sftp internal-sftp", "PermitUserEnvironment": "no",
    }  # fmt: skip
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    made.start()
    try:
        yield made
    finally:
        made.stop()
