"""Sealed cycles in the lab: A gets a seal with a random passphrase, and what must stay secret is looked for on the disks."""

from __future__ import annotations

import mmap
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from khib_tui.events.types import Message
from khib_tui.lab.cycle import SETTINGS, LabError, Session

# A tmpfs in A: the program disk with the settings is read-only, and the passphrase must reach no disk.
DIRECTORY = "/run/khib-seal"
KEY_FILE = f"{DIRECTORY}/passphrase"


@dataclass(frozen=True)
class Secrets:
    """What A's memory holds and no disk may."""

    planted: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    passphrase: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)

    @property
    def options(self) -> list[str]:
        """Words for `khib hibernate`."""
        return ["--key-file", KEY_FILE]


def seal(session: Session, passphrase: str = "") -> Secrets:
    """Seal A's images, and plant a secret in its memory.

    :param passphrase: a random one if empty.
    :raises LabError: `khib seal` failed.
    """
    made = Secrets(passphrase=passphrase) if passphrase else Secrets()
    session.program("sh", "-c", f"mkdir -m 700 {DIRECTORY} && cp {SETTINGS} {DIRECTORY}/")
    session.ask("plant", secret=made.planted.hex(), passphrase=made.passphrase, key_file=KEY_FILE)
    session.settings = f"{DIRECTORY}/{Path(SETTINGS).name}"
    session.passphrase = made.passphrase
    code, _ = session.run("seal", "--key-file", KEY_FILE)
    if code:
        raise LabError("khib seal failed", hint=session.reason(), ident="HIB-E-LAB")
    return made


def refuse_leak(session: Session, made: Secrets) -> None:
    """Look for the secrets on all disks and in the console's log.

    :raises LabError: one is there.
    """
    log = session.lab.directory / "console.log"
    for path in (*session.lab.hardware.disks, log):
        for what, pattern in (("the planted secret", made.planted), ("the passphrase", made.passphrase.encode())):
            if holds(path, pattern):
                raise LabError(f"{what} is in {path.name}", ident="HIB-E-LAB-LEAK")
    session.sink(Message("neither the planted secret nor the passphrase is on any disk"))


def holds(path: Path, pattern: bytes) -> bool:
    """Return whether a file holds a pattern."""
    if not path.exists() or path.stat().st_size < len(pattern):
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(pattern) >= 0
