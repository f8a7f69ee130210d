"""The `khib` command: the only place where errors become exit codes, and the only door to `screens`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from khib_tui import __version__
from khib_tui.errors import Exit, KhibError, UsageError
from khib_tui.events import Failure, JsonSink, PlainSink, Sink
from khib_tui.handover import After
from khib_tui.image.codec import CodecChoice
from khib_tui.settings import PATH as SETTINGS_PATH
from khib_tui.stage import Work

EPILOG = """exit codes: 0 done, 1 error, 2 usage, 3 cancelled by you, 4 a check refuses, 5 failed with nothing changed,
6 failed after changes, 7 no image or one that must not be resumed, 128+N ended by signal N"""


def parser() -> argparse.ArgumentParser:
    """Make the command line's parser."""
    top = argparse.ArgumentParser(prog="khib", description="Kexec-based hibernation.", epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"khib {__version__}")
    top.add_argument("--json", action="store_true", help="print events as JSON lines")
    top.add_argument("--plain", action="store_true", help="no screens: one line at a time")
    top.add_argument("--debug", action="store_true", help="show where an error came from")
    top.add_argument("--facts", type=Path, metavar="FILE", help="decide for the machine in this JSON file")
    top.add_argument("--settings", type=Path, metavar="FILE", default=SETTINGS_PATH, help=f"instead of {SETTINGS_PATH}")
    top.set_defaults(verb="verbs:wizard")
    commands = top.add_subparsers(metavar="COMMAND")
    _machine_verbs(commands)
    _journey_verbs(commands)
    _image_verbs(commands)
    _lab_verbs(commands)
    return top


Commands = Any


def _add(commands: Commands, name: str, verb: str, text: str | None) -> argparse.ArgumentParser:
    hidden = {} if text is None else {"help": text}
    command: argparse.ArgumentParser = commands.add_parser(name, description=text, epilog=EPILOG, **hidden)
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--plain", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--facts", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--settings", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.set_defaults(verb=verb)
    return command


def _machine_verbs(commands: Commands) -> None:
    _add(commands, "check", "verbs:check", "tell whether this machine can hibernate, and why not")
    _add(commands, "facts", "verbs:facts", "print all facts about this machine as JSON")
    _add(commands, "status", "verbs:status", "tell what is set up, loaded and saved")
    _choices(_add(commands, "plan", "verbs:make_plan", "show kernel, memory region and the steps of a hibernation"))
    _choices(_add(commands, "setup", "verbs:setup", "install the saver and the boot entry, and keep the choices"), dry=True)


def _journey_verbs(commands: Commands) -> None:
    rehearse = _add(commands, "rehearse", "verbs:rehearse", "jump into the saver and straight back")
    rehearse.add_argument("--save", action="store_true", help="also save and verify an image, then come back")
    _choices(rehearse, dry=True)
    hibernate = _add(commands, "hibernate", "verbs:hibernate", "save the running system and power off")
    _choices(hibernate, dry=True)
    seal = _add(commands, "seal", "sealing:seal", "encrypt later images with a passphrase")
    seal.add_argument("--off", action="store_true", help="do not seal later images")
    seal.add_argument("--dry-run", action="store_true", help="print the steps, apply none")
    restore = _add(commands, "restore", "recovery.console:restore", "resume an image (on the restoring kernel)")
    restore.add_argument("--image", default="", metavar="DEVICE", help="which image, if there are several")
    restore.add_argument("--dry-run", action="store_true", help="check everything, restore nothing")
    restore.add_argument("--repair", action="store_true", help="make a damaged header whole from its second copy first")
    restore.add_argument("--vmcore", default="", metavar="FILE", help="restore an exported ELF vmcore instead of an image")
    restore.add_argument("--entry", default="", metavar="ADDRESS", help="of a vmcore that does not say where it is entered")
    restore.add_argument("--gdt", default="", metavar="ADDRESS", help="of a vmcore that does not say where its GDT is")
    restore.add_argument("--yes", action="store_true", help="do not ask before a vmcore is restored")
    for command in (rehearse, hibernate, seal, restore):
        _key_file(command)
    _add(commands, "save", "recovery.console:save", None)


def _key_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("--key-file", default="", metavar="FILE", help="read the passphrase from FILE (-: standard input)")


def _choices(command: argparse.ArgumentParser, *, dry: bool = False) -> None:
    command.add_argument("--kernel", metavar="FILE", help="kernel that saves and restores")
    command.add_argument("--target", metavar="PLACE", help="/dev/PARTITION, or /dev/PARTITION:/FILE")
    command.add_argument("--region", metavar="SIZE", help="memory for the saver, such as 240M")
    command.add_argument("--codec", choices=[codec.value for codec in CodecChoice])
    command.add_argument("--verify", action="store_true", default=None, help="read the whole image back before power-off")
    command.add_argument("--after", choices=[after.value for after in After], help="what follows saving")
    if dry:
        command.add_argument("--dry-run", action="store_true", help="print the steps, apply none")


def _image_verbs(commands: Commands) -> None:
    image = _add(commands, "image", "verbs:image_list", "list, show, verify or discard images")
    actions = image.add_subparsers(metavar="ACTION")
    _add(actions, "list", "verbs:image_list", "list all images on this machine's disks")
    for name, verb, text in (
        ("info", "verbs:image_info", "show what an image holds"),
        ("verify", "verbs:image_verify", "read an image and check every byte"),
        ("discard", "verbs:image_discard", "give an image up, for ever"),
        ("export", "verbs:image_export", "write the memory as files for crash, drgn and makedumpfile"),
    ):
        action = _add(actions, name, verb, text)
        action.add_argument("image", nargs="?", default="", help="device, file or image id; not needed if there is one")
        if name != "discard":
            _key_file(action)
        else:
            action.add_argument("--yes", action="store_true", help="do not ask")
        if name == "export":
            action.add_argument("--elf", type=Path, metavar="FILE", help="as an ELF vmcore")
            action.add_argument("--kdump", type=Path, metavar="FILE", help="as a kdump-compressed dump")
            action.add_argument("--force", action="store_true", help="overwrite files")


def _lab_verbs(commands: Commands) -> None:
    lab = _add(commands, "lab", "verbs:lab", "the throwaway QEMU machine: try everything without risk")
    _lab_options(lab)
    actions = lab.add_subparsers(metavar="ACTION")
    demo = _add(actions, "demo", "verbs:lab_demo", "play whole cycles by itself")
    _lab_options(demo)
    demo.add_argument("--cycles", type=int, default=1, help="hibernations in one uptime")
    demo.add_argument("--fill", type=int, default=50, metavar="PERCENT", help="how much of the memory to fill")
    demo.add_argument("--sealed", action="store_true", help="seal the images, and look for a secret on the disk")
    demo.add_argument("--rehearse", action="store_true", help="rehearse first, in the same uptime")
    demo.add_argument("--shallow", dest="deep", action="store_false", help="do not check every program and library")
    _add(actions, "kernel", "verbs:lab_kernel", "build the guest kernel").add_argument("--linux-source", type=Path)


def _lab_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--memory", type=int, default=2048, metavar="MIB", help="memory of the machine")
    command.add_argument("--cpus", type=int, default=2)
    command.add_argument("--firmware", choices=["bios", "uefi"], default="bios")
    command.add_argument("--linux-source", type=Path, metavar="TARBALL", help="another kernel source")
    command.add_argument("--codec", choices=[codec.value for codec in CodecChoice])
    command.add_argument("--keep", type=Path, metavar="DIR", help="keep disks and logs in this directory")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    :returns: the exit code.
    """
    arguments = parser().parse_args(argv)
    sink: Sink = JsonSink(sys.stdout.buffer) if arguments.json else PlainSink()
    try:
        return int(function(arguments.verb)(arguments, sink) or Exit.OK)
    except KhibError as error:
        return _fail(arguments, error, error.exit_code)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _fail(arguments, UsageError(f"{name}{error.strerror}", ident="HIB-E-IO"), Exit.ERROR)


def function(verb: str) -> Any:
    """Import what a verb needs, and nothing else: B and C have no time to lose.

    :param verb: `MODULE:FUNCTION` below khib_tui.
    """
    module, _, name = verb.partition(":")
    return getattr(importlib.import_module(f"khib_tui.{module}"), name)


def _fail(arguments: argparse.Namespace, error: KhibError, code: int) -> int:
    if arguments.debug:
        traceback.print_exception(error)
    sink: Sink = JsonSink(sys.stdout.buffer) if arguments.json else PlainSink(sys.stderr)
    sink(Failure(error.ident, error.message, error.hint or "", int(code)))
    return int(code)


def use_screens(arguments: argparse.Namespace) -> bool:
    """Tell whether to draw screens: on a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not (arguments.json or arguments.plain or dumb) and sys.stdin.isatty() and sys.stdout.isatty()


def present(arguments: argparse.Namespace, sink: Sink, title: str, work: Work[Any]) -> Any:
    """Do a long piece of work, on a screen or as lines; Esc stops it."""
    if use_screens(arguments):
        from screens.stage import run_stage

        return run_stage(title, work, sink)
    from khib_tui.stage import Stop, escape_key

    with escape_key() as pressed:
        return work(sink, Stop(pressed))
