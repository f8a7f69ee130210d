"""`khib lab pictures`: what the emulated screen shows in B and in C, on each kind of display, as PNG files."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from khib_tui.errors import Exit, KhibError
from khib_tui.events.types import Event, Level, Message, Progress, Result, Sink, StageName
from khib_tui.lab import monitor, setup
from khib_tui.lab.cycle import LabError, Session
from khib_tui.lab.hardware import Hardware
from khib_tui.lab.setup import workspace

# QEMU's displays, each with the module of a distribution's kernel for it.
DISPLAYS = {"std": "bochs", "virtio": "virtio_gpu", "qxl": "qxl"}
# The last console= is the one that B and C draw on.
WORDS = "console=tty0"
_STAGES = {StageName.SAVE: "b", StageName.RESTORE: "c"}
_FIRST = 0.2
_DRAWN = 1.0


def pictures(arguments: Namespace, sink: Sink) -> int:
    """Take a picture of B and one of C for each display and firmware that were asked for.

    :param arguments: `displays`, `firmwares`, `into` (a folder), and the machine's as for the demo.
    """
    setup.say_room(arguments, sink)
    arguments.into.mkdir(parents=True, exist_ok=True)
    missing = []
    for display in arguments.displays:
        for firmware in arguments.firmwares:
            missing += _one(arguments, display, firmware, sink)
    text = f"no picture of {', '.join(missing)}" if missing else f"all pictures are in {arguments.into}"
    sink(Result("lab pictures", not missing, text))
    return Exit.ERROR if missing else Exit.OK


def _one(arguments: Namespace, display: str, firmware: str, sink: Sink) -> list[str]:
    """Play one hibernation; return which pictures there are none of."""
    paths = {stage: arguments.into / f"{letter}-{display}-{firmware}.png" for stage, letter in _STAGES.items()}
    for path in paths.values():
        path.unlink(missing_ok=True)
    wanted = Namespace(**vars(arguments) | {"firmware": firmware, "screen": [DISPLAYS[display]]})
    with workspace(arguments.keep and arguments.keep / f"{display}-{firmware}") as directory:
        lab = setup.prepare(wanted, directory, sink)
        lab = replace(lab, hardware=_with(lab.hardware, display))
        session = Session(lab, sink)
        session.sink = watched(sink, directory, paths)
        try:
            session.boot_a(WORDS)
            _on_screens(session)
            session.ask("fill", percent=arguments.fill, shadow=lab.shadow)
            session.hibernate()
            session.resume()
        except KhibError as error:
            sink(Message(f"{display} with {firmware}: {error.message}", Level.ERROR))
        finally:
            session.end()
    return [path.name for path in paths.values() if not path.exists()]


def _with(hardware: Hardware, display: str) -> Hardware:
    return replace(hardware, video=display)


def _on_screens(session: Session) -> None:
    """Let B and C draw screens, not lines."""
    path = "/run/khib-pictures/khib.toml"
    script = f"mkdir -p {Path(path).parent} && (grep -v ^plain {session.settings}; echo 'plain = false') >{path}"
    session.program("sh", "-c", script)
    session.settings = path


def watched(sink: Sink, directory: Path, paths: dict[StageName, Path]) -> Callable[[Event], None]:
    """Return a sink that takes a picture in the midst of each stage, once it had time to be drawn."""
    taken: set[StageName] = set()

    def see(event: Event) -> None:
        sink(event)
        if (
            isinstance(event, Progress)
            and event.stage in paths
            and event.stage not in taken
            and event.done > _FIRST * event.total
        ):
            taken.add(event.stage)
            time.sleep(_DRAWN)
            dump(directory, paths[event.stage])

    return see


def dump(directory: Path, path: Path) -> None:
    """Write what the screen of the machine in `directory` shows as a PNG file.

    :raises LabError: QEMU cannot.
    """
    path.unlink(missing_ok=True)
    try:
        answer = monitor.ask(directory, f"screendump {path.absolute()} -f png", seconds=20)
    except OSError as error:
        raise LabError(f"no picture: {error}", ident="HIB-E-LAB") from error
    if not path.exists():
        raise LabError(f"no picture: {answer.strip()}", ident="HIB-E-LAB")
