"""A real NFS server (nfs-ganesha, in user space) on the loopback of this machine, which exports a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from khib_tui.model.remote import Remote, Scheme
from khib_tui.runner import spawn
from tests.kit.loopback import free_port, until_listening

PROGRAM = "/usr/bin/ganesha.nfsd"
needs_ganesha = pytest.mark.skipif(
    not Path(PROGRAM).exists(),
    reason="nfs-ganesha and nfs-ganesha-vfs are not installed; they start a service, so scripts/setup does not",
)
_CONFIG = """
NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {port}; Bind_addr = 127.0.0.1; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = "{folder}/recovery"; Minor_Versions = 0,1,2; }}
EXPORT {{
    Export_Id = 1; Path = {folder}/export; Pseudo = /export; Access_Type = RW; Squash = No_Root_Squash; SecType = sys;
    Protocols = 4; Transports = TCP; FSAL {{ Name = VFS; }}
}}
"""


@dataclass
class Ganesha:
    """The server: its folder, and its port on 127.0.0.1."""

    folder: Path
    port: int
    process: Any = None

    def place(self, name: str, host: str) -> Remote:
        """Return a place for an image on it."""
        return Remote(Scheme.NFS, host, "/export", name, port=self.port)

    @property
    def export(self) -> Path:
        """The folder that it exports."""
        return self.folder / "export"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words: list[str | Path] = [PROGRAM, "-F", "-L", self.folder / "log", "-f", self.folder / "conf"]
        words += ["-p", self.folder / "pid"]
        self.process = spawn(words, start_new_session=True)
        until_listening(self.port, self.folder / "log")

    def stop(self) -> None:
        """End it, as a power cut would."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(folder: Path) -> Iterator[Ganesha]:
    """Give a server that runs, for the time of a `with`."""
    made = Ganesha(folder, free_port())
    made.export.mkdir(parents=True)
    (folder / "recovery").mkdir()
    (folder / "conf").write_text(_CONFIG.format(port=made.port, folder=folder))
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder / "recovery")
