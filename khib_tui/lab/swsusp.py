"""The kernel's own hibernation in the lab, to compare with: to a swap disk, powered off, resumed by the next boot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from khib_tui.events.types import Event
from khib_tui.lab.cycle import DEMO_WORDS, LabError, Session
from khib_tui.lab.setup import Lab
from khib_tui.model.units import MIB
from khib_tui.runner import run

SWAP_DISK = "/dev/vdd"
WORDS = f"resume={SWAP_DISK}"
TRIGGER = ("sh", "-c", "echo disk > /sys/power/state")


class Declined(LabError):
    """The kernel did not hibernate, and A goes on."""


def with_swap_disk(lab: Lab, path: Path) -> Lab:
    """Return the machine one more disk: swap, of one and a half times its memory."""
    with path.open("wb") as stream:
        stream.truncate(lab.hardware.memory * 3 // 2 * MIB)
    run(["mkswap", "--quiet", path])
    return replace(lab, hardware=replace(lab.hardware, disks=(*lab.hardware.disks, path)))


@dataclass(frozen=True)
class Memory:
    """What A's /proc/meminfo says, in bytes: page cache of files, and what was pushed out to swap."""

    page_cache: int
    swapped: int


def memory(session: Session) -> Memory:
    """Look at A's memory; reads no file but /proc/meminfo."""
    lines = (line.split() for line in session.read("/proc/meminfo").splitlines())
    values = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1}
    cached = values["Cached"] + values["Buffers"] - values["Shmem"]
    return Memory(cached, values["SwapTotal"] - values["SwapFree"])


def boot(session: Session) -> None:
    """Boot A with its swap disk in use; it powers off when it has hibernated."""
    session.boot_a(WORDS)
    session.program("swapon", SWAP_DISK)
    session.program("sh", "-c", "echo shutdown > /sys/power/disk")


def hibernate(session: Session) -> float:
    """Hibernate up to the power-off; gives the seconds.

    :raises Declined: with the kernel's reason.
    """
    vm = session.running
    began = vm.seconds
    vm.tell(do="program", argv=list(TRIGGER))
    for event in vm.events():
        if answer := _ended(event):
            raise Declined(f"the kernel does not hibernate: {_reason(session, answer)}", ident="HIB-E-LAB")
    vm.wait()
    seconds = vm.seconds - began
    vm.close()
    return seconds


def resume(session: Session) -> float:
    """Boot up to the first word of the process that had triggered it; gives the seconds.

    :raises LabError: A was booted anew, or is lost.
    """
    vm = session.boot(session.lab.boot_a(f"{DEMO_WORDS} {WORDS}"))
    for event in vm.events():
        if answer := _ended(event):
            if answer["code"]:
                raise session.lost(f"the kernel's hibernation failed: {answer['output']}")
            return vm.seconds
        if isinstance(event, dict) and event.get("agent") == "ready":
            raise session.lost("A was booted anew instead of resumed")
    raise session.lost("A did not come back")


def _ended(event: Event | dict[str, Any]) -> dict[str, Any]:
    """Return what the agent says when the trigger has returned, and nothing otherwise."""
    return event if isinstance(event, dict) and "output" in event else {}


def _reason(session: Session, answer: dict[str, Any]) -> str:
    log = session.program("sh", "-c", "dmesg | grep 'PM:' | tail -n 3")
    return " ".join([answer["output"].strip(), *(line.partition("] ")[2] for line in log.splitlines())])
