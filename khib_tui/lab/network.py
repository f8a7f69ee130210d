"""A lab machine with a network card: it reaches the servers that listen on this machine's loopback, as another machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from khib_tui.lab.cycle import Session
from khib_tui.lab.machine import VIRTIO, Machine
from khib_tui.lab.setup import Lab

HOST = "10.0.2.2"
"""What QEMU calls this machine's loopback in the guest."""
MAC = "52:54:00:6b:68:01"
CARD = ("-netdev", "user,id=net0", "-device", f"virtio-net-pci,netdev=net0,mac={MAC}")
NETWORKED = Machine("network", VIRTIO.first, VIRTIO.root, CARD)
PROGRAM = ("env", "PYTHONPATH=/opt/khib", "PATH=/usr/sbin:/usr/bin", "python3", "-m", "khib_tui.lab.guest.network", MAC)


def networked(lab: Lab) -> Lab:
    """Return a machine with a card."""
    return replace(lab, hardware=replace(lab.hardware, machine=NETWORKED))


def connect(session: Session) -> str:
    """Let A ask the network for an address; gives it."""
    return session.program(*PROGRAM).strip()


def choose(session: Session, target: str) -> None:
    """Let A's settings name a place."""
    path = Path("/run/khib-place/khib.toml")
    lines = f"grep -v ^target {session.settings}; echo 'target = \"{target}\"'"
    session.program("sh", "-c", f"mkdir -p {path.parent} && ({lines}) >{path}")
    session.settings = str(path)
