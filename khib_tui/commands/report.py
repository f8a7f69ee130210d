"""`khib report`: what a bug report needs, without what nobody should read; and the versions of all that takes part."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from khib_tui import __version__, i18n
from khib_tui.errors import Exit
from khib_tui.events.types import Result, Sink

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.model.machine import Machine

REMOVED = "(removed)"
LOGS, LINES = 3, 200
# Names and numbers that tell one machine or person from all others.
_PRIVATE = frozenset({"serial", "uuid", "label", "wwn", "host", "hostname", "machine_id", "image_id", "partuuid"})
_LIBRARIES = ("urwid", "msgspec", "cryptography")


def versions() -> list[str]:
    """Return khib's version and those of what it runs on, a line each."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "") if Path("/etc/os-release").exists() else ""
    kernel = f"Linux {platform.release()} {platform.machine()}"
    return [f"khib {__version__}", kernel, *filter(None, [system]), f"Python {platform.python_version()}", *found]


def report(arguments: Namespace, sink: Sink) -> int:
    """Write the report into a file, or print it."""
    from khib_tui import files
    from khib_tui.commands.common import machine_of

    i18n.speak_english()  # who reads it may speak any language
    data = msgspec.json.format(msgspec.json.encode(collect(arguments, machine_of(arguments))), indent=1)
    if not arguments.file:
        print(data.decode())
        return Exit.OK
    files.write(arguments.file, data + b"\n")
    text = f"written to {arguments.file}: read it before you give it away"
    sink(Result("report", True, text))
    return Exit.OK


def collect(arguments: Namespace, machine: Machine) -> dict[str, Any]:
    """Return versions, choices, findings, facts, journeys, logs and the kernel's words, without passphrases and keyslots."""
    from khib_tui.commands.common import settings_of
    from khib_tui.decide.choice import judge
    from khib_tui.facts import kmsg

    kept = settings_of(arguments)
    log = [] if arguments.facts else kmsg.lines()
    whole = {"versions": versions(), "settings": kept, "findings": judge(machine, kept), "machine": machine, "kernel log": log}
    whole |= {} if arguments.facts else remembered(arguments.settings)
    secrets = private(msgspec.to_builtins(machine))
    return {key: without(msgspec.to_builtins(value), secrets) for key, value in whole.items()}


def remembered(settings: Path) -> dict[str, Any]:
    """Return what became of earlier journeys, and the last logs by their names."""
    from khib_tui.plan import log
    from khib_tui.plan.journal import Journal

    journal, logs = Journal.beside(settings), {}
    for path in log.listed(journal.folder)[:LOGS]:
        with suppress(OSError):
            logs[path.name] = log.read(path)[-LINES:]
    return {"journeys": journal.all(), "logs": logs}


def private(value: Any) -> frozenset[str]:
    """Return all texts that stand under a private name, wherever they are."""
    if isinstance(value, dict):
        own = {text for key, text in value.items() if key in _PRIVATE and isinstance(text, str) and len(text) > 1}
        return frozenset(own.union(*(private(below) for below in value.values())))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return frozenset().union(*(private(below) for below in value))
    return frozenset()


def without(value: Any, secrets: frozenset[str]) -> Any:
    """Return the same with those texts taken out, in longer texts too."""
    if isinstance(value, dict):
        return {key: without(below, secrets) for key, below in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without(below, secrets) for below in value]
    if not isinstance(value, str):
        return value
    for text in sorted(secrets, key=len, reverse=True):
        value = value.replace(text, REMOVED) if len(text) > 3 or value == text else value
    return value
