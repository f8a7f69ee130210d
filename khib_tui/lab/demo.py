"""`khib lab demo`: whole hibernations, by itself, with everything checked that must survive."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from khib_tui.errors import Exit
from khib_tui.events.types import LabResult, Level, Message, Result, Sink
from khib_tui.lab import bootdisk, disks, places, sealed, setup
from khib_tui.lab.cycle import Session
from khib_tui.lab.installed import ROOT
from khib_tui.lab.machine import machine_of
from khib_tui.lab.setup import Lab, workspace
from khib_tui.model.units import MIB, duration, size


def demo(arguments: Namespace, sink: Sink) -> int:
    """Play cycles; the last event is a `lab-result`."""
    (bootdisk if boots_itself(arguments) else setup).say_room(arguments, sink)
    with workspace(arguments.keep) as directory:
        return play(arguments, directory, sink)


def play(arguments: Namespace, directory: Path, sink: Sink) -> int:
    """Set up, play, tell."""
    session = Session(prepare(arguments, directory, sink), sink)
    try:
        result = cycles(session, arguments, sink)
    finally:
        session.end()
    if not arguments.json:
        sink(Message(state(result)))
        sink(Result("lab demo", result.resumed, summary(result)))
    sink(result)
    return Exit.OK if is_good(result) else Exit.ERROR


def state(result: LabResult) -> str:
    """Say what became of A's memory and disk."""
    memory = "as it was" if result.memory_intact else f"NOT as it was ({result.detail})"
    clean = "clean" if result.fsck_clean else "NOT clean"
    return (
        f"A's memory: {memory}; its disk: fsck {clean}, untouched while it slept: {'yes' if result.disks_identical else 'NO'}"
    )


def is_good(result: LabResult) -> bool:
    """Return whether nothing was lost."""
    return bool(result.resumed and result.memory_intact and result.disks_identical and result.fsck_clean)


def boots_itself(arguments: Namespace) -> bool:
    """Return whether the machine is to boot from its own disk."""
    return bool(vars(arguments).get("boot") == "disk")


def prepare(arguments: Namespace, directory: Path, sink: Sink) -> Lab:
    """Make the machine ready: one that QEMU starts kernels on, or one that boots from its own disk."""
    if boots_itself(arguments):
        return bootdisk.prepare(arguments, directory, sink)
    machine_of(arguments)
    return setup.prepare(arguments, directory, sink)


def summary(result: LabResult) -> str:
    """Format it in one line."""
    return (
        f"resumed: {'yes' if result.resumed else 'no'}  image {size(result.image_bytes)} of {size(result.ram_bytes)} RAM  "
        f"saved in {duration(result.save_seconds)}  restored in {duration(result.restore_seconds)}"
    )


def cycles(session: Session, arguments: Namespace, sink: Sink) -> LabResult:
    """Hibernate as often as asked, in one uptime of A."""
    session.boot_a()
    if session.lab.boots_itself:
        set_up(session)
    filled = session.ask("fill", percent=arguments.fill, shadow=session.lab.shadow)
    sink(Message(f"{size(filled['filled'])} of {size(filled['total'])} of A's memory filled"))
    if arguments.rehearse:
        session.ask("remember", deep=False)
        code, events = session.run("rehearse")
        for event in events:
            if isinstance(event, Result):
                sink(Message(event.text))
        if code or not session.ask("check", deep=False)["intact"]:
            raise session.lost("the rehearsal failed")
    hidden = sealed.seal(session) if arguments.sealed else None
    wrong: list[str] = []
    for number in range(1, arguments.cycles + 1):
        sink(Message(f"cycle {number} of {arguments.cycles}"))
        session.ask("remember", deep=arguments.deep)
        away, back, data = once(session, arguments, hidden)
        checked = session.ask("check", deep=arguments.deep)
        wrong += checked["wrong"]
    if arguments.cancelled:
        wrong += cancelled(session, arguments)
    clean, text = session.power_off()
    if not clean:
        sink(Message(text, Level.ERROR))
    if arguments.cancelled:
        wrong += started_normally(session)
    return LabResult(
        resumed=True, memory_intact=not wrong, cycles=arguments.cycles, image_bytes=data["image_bytes"],
        ram_bytes=arguments.memory * MIB, save_seconds=data["save_seconds"], restore_seconds=data["restore_seconds"],
        hibernate_seconds=away, resume_seconds=back, disks_identical=session.disks_identical, fsck_clean=clean,
        detail=", ".join(wrong), sealed=hidden is not None,
    )  # fmt: skip


def cancelled(session: Session, arguments: Namespace) -> list[str]:
    """Break one hibernation off while it saves; gives what of A's memory is wrong afterwards."""
    session.sink(Message("one that is cancelled"))
    session.ask("remember", deep=arguments.deep)
    if (code := session.cancel(*codec_words(arguments))) != Exit.CANCELLED:
        raise session.lost(f"a cancelled hibernation ended with code {code}: {session.reason()}")
    wrong: list[str] = session.ask("check", deep=arguments.deep)["wrong"]
    return wrong


def started_normally(session: Session) -> list[str]:
    """Switch on once more: what was cancelled must not have left C as the next start, which would speak before A does."""
    session.boot_a()
    before = list(session.running.seen)
    session.power_off()
    return ["what started next"] if before else []


def set_up(session: Session) -> None:
    """Let A install the saver, the boot entry and the guard, as its user does once; its initramfs takes minutes.

    :raises LabError: `khib setup` failed.
    """
    code, _ = session.run("setup", timeout=900)
    if code:
        raise session.lost(f"khib setup failed: {session.reason()}")
    lab = session.lab
    if isinstance(lab, bootdisk.DiskLab) and lab.file:
        lab.image[:] = places.parts(session, lab.file, disks.partitions(lab.disk_a)[ROOT].start)


def once(session: Session, arguments: Namespace, hidden: sealed.Secrets | None) -> tuple[float, float, dict[str, Any]]:
    """Play one hibernation and resume; no disk may hold a secret of a sealed one, whose image is still there."""
    away = session.hibernate(*codec_words(arguments), *(hidden.options if hidden else []))
    boot = None
    if arguments.memmap == "none":
        boot = session.lab.boot_c(memmap="")
        session.note_anew()
    back, result = session.resume(boot)
    if hidden:
        sealed.refuse_leak(session, hidden)
    return away, back, result.data


def codec_words(arguments: Namespace) -> list[str]:
    """Return the options that choose the codec that was asked for."""
    return ["--codec", arguments.codec] if arguments.codec else []
