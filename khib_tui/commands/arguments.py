"""What can be typed after `khib`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from khib_tui.commands.optionparser import OptionParser
from khib_tui.i18n import N_, _
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.settings import PATH as SETTINGS_PATH

EPILOG = N_("""exit codes: 0 done, 1 error, 2 usage, 3 cancelled by you, 4 a check refuses, 5 failed with nothing changed,
6 failed after changes, 7 no image or one that must not be resumed, 128+N ended by signal N""")

Commands = Any


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Make the command line's parser.

    :param words: what was typed: if the first one is a command, only that one is made.
    """
    top = OptionParser(prog="khib", description=_("Kexec-based hibernation."), epilog=_(EPILOG))
    top.add_argument("--version", action=_Version, nargs=0, help=_("print khib's version and those of what it runs on"))
    top.add_argument("--json", action="store_true", help=_("print events as JSON lines"))
    top.add_argument("--plain", action="store_true", help=_("no screens: one line at a time"))
    top.add_argument("--debug", action="store_true", help=_("show where an error came from"))
    top.add_argument("--facts", type=Path, metavar=_("FILE"), help=_("decide for the machine in this JSON file"))
    top.add_argument(
        "--settings",
        type=Path,
        metavar=_("FILE"),
        default=SETTINGS_PATH,
        help=_("instead of {path}").format(path=SETTINGS_PATH),
    )
    top.set_defaults(verb="commands.wizard:wizard")
    commands = top.add_subparsers(metavar=_("COMMAND"))
    typed = words[0] if words else ""
    for command in [typed] if typed in COMMANDS else COMMANDS:
        COMMANDS[command](commands)
    return top


class _Version(argparse.Action):
    """Look for versions only when they are asked for: B and C have no time to lose."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print them, and end."""
        from khib_tui.commands.report import versions

        print("\n".join(versions()))
        parser.exit()


def _add(commands: Commands, name: str, verb: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, description=text, epilog=_(EPILOG), help=text)
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--plain", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--facts", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.add_argument("--settings", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    command.set_defaults(verb=verb)
    return command


def _check(commands: Commands) -> None:
    _add(commands, "check", "commands.machine:check", _("tell whether this machine can hibernate, and why not"))


def _facts(commands: Commands) -> None:
    _add(commands, "facts", "commands.machine:facts", _("print all facts about this machine as JSON"))


def _kernels(commands: Commands) -> None:
    text = _("list this machine's kernels: which can be hibernated, which can save and restore, and why not")
    kernels = _add(commands, "kernels", "commands.kernels:kernels", text)
    kernels.add_argument("--kernel", metavar=_("FILE"), help=_("look at this one too, wherever it lies"))
    text = _("build Debian's own kernel anew so that it can be hibernated, as packages; installs nothing")
    build = _add(kernels.add_subparsers(metavar=_("ACTION")), "build", "commands.kernelbuild:build", text)
    build.add_argument("--kernel", metavar=_("FILE"), help=_("of this one, not of the running one: /boot/vmlinuz-..."))
    build.add_argument("--whole", action="store_true", help=_("build all modules too, even if the installed ones fit"))
    build.add_argument("--into", type=Path, metavar=_("DIR"), help=_("build there, not below the cache"))
    build.add_argument("--jobs", type=int, metavar="N", help=_("how many compilers run at once"))
    _dry_run(build)


def _status(commands: Commands) -> None:
    _add(commands, "status", "commands.machine:status", _("tell what is set up, loaded and saved"))


def _plan(commands: Commands) -> None:
    _choices(
        _add(commands, "plan", "commands.hibernate:make_plan", _("show kernel, memory region and the steps of a hibernation"))
    )


def _setup(commands: Commands) -> None:
    setup = _add(commands, "setup", "commands.setup:setup", _("install the saver and the boot entry, and keep the choices"))
    _choices(setup)
    _dry_run(setup)
    text = _("take all answers from FILE: the choices of khib.toml, and key_file")
    setup.add_argument("--answers", type=Path, metavar=_("FILE"), help=text)
    setup.add_argument("--remove", action="store_true", help=_("take all of it away again, choices and seal too; images stay"))


def _install(commands: Commands) -> None:
    install = _add(commands, "install", "commands.install:install", _("put khib where root finds it, or take it away"))
    install.add_argument("--remove", action="store_true", help=_("take it away, with all that a set-up has written"))
    install.add_argument("--prefix", type=Path, default=Path("/usr/local"), metavar=_("DIR"))
    _dry_run(install)


def _rehearse(commands: Commands) -> None:
    rehearse = _add(commands, "rehearse", "commands.hibernate:rehearse", _("jump into the saver and straight back"))
    how_far = rehearse.add_mutually_exclusive_group()
    how_far.add_argument("--echo", action="store_true", help=_("only freeze the devices, jump into one page and come back"))
    how_far.add_argument("--save", action="store_true", help=_("also save and verify an image, then come back"))
    _journey(rehearse)


def _hibernate(commands: Commands) -> None:
    hibernate = _add(commands, "hibernate", "commands.hibernate:hibernate", _("save the running system and power off"))
    hibernate.add_argument("--from-systemd", action="store_true", help=_("do what systemd-sleep does around it; for its unit"))
    _journey(hibernate)


def _seal(commands: Commands) -> None:
    seal = _add(commands, "seal", "commands.seal:seal", _("encrypt later images with a passphrase"))
    seal.add_argument("--off", action="store_true", help=_("do not seal later images"))
    _dry_run(seal)
    _key_file(seal)


def _restore(commands: Commands) -> None:
    restore = _add(commands, "restore", "commands.restore:restore", _("resume an image (on the restoring kernel)"))
    restore.add_argument("--image", default="", metavar=_("DEVICE"), help=_("which image, if there are several"))
    restore.add_argument("--dry-run", action="store_true", help=_("check everything, restore nothing"))
    restore.add_argument("--repair", action="store_true", help=_("make a damaged header whole from its second copy first"))
    restore.add_argument(
        "--vmcore", default="", metavar=_("FILE"), help=_("restore an exported ELF vmcore instead of an image")
    )
    restore.add_argument(
        "--entry", default="", metavar=_("ADDRESS"), help=_("of a vmcore that does not say where it is entered")
    )
    restore.add_argument("--gdt", default="", metavar=_("ADDRESS"), help=_("of a vmcore that does not say where its GDT is"))
    restore.add_argument("--yes", action="store_true", help=_("do not ask before a vmcore is restored"))
    _key_file(restore)


def _back(commands: Commands) -> None:
    _add(commands, "back", "commands.save:back", _("in the saver's shell: go back to the running system"))


def _image(commands: Commands) -> None:
    image = _add(commands, "image", "commands.image:image_list", _("list, show, verify or discard images"))
    actions = image.add_subparsers(metavar=_("ACTION"))
    _add(actions, "list", "commands.image:image_list", _("list all images on this machine's disks"))
    _key_file(_one_image(actions, "info", "commands.image:image_info", _("show what an image holds")))
    _key_file(_one_image(actions, "verify", "commands.image:image_verify", _("read an image and check every byte")))
    discard = _one_image(
        actions, "discard", "commands.image:image_discard", _("discard an image: it can never be resumed then")
    )
    discard.add_argument("--yes", action="store_true", help=_("do not ask"))
    _dry_run(discard)
    text = _("write the memory as files for crash, drgn and makedumpfile")
    export = _one_image(actions, "export", "commands.image:image_export", text)
    _key_file(export)
    export.add_argument("--elf", type=Path, metavar=_("FILE"), help=_("as an ELF vmcore"))
    export.add_argument("--kdump", type=Path, metavar=_("FILE"), help=_("as a kdump-compressed dump"))
    export.add_argument("--force", action="store_true", help=_("overwrite files"))


def _one_image(actions: Commands, name: str, verb: str, text: str) -> argparse.ArgumentParser:
    action = _add(actions, name, verb, text)
    action.add_argument("image", nargs="?", default="", help=_("device, file or image id; not needed if there is one"))
    return action


def _report(commands: Commands) -> None:
    report = _add(commands, "report", "commands.report:report", _("print what a bug report needs, without secrets"))
    report.add_argument("file", nargs="?", type=Path, metavar=_("FILE"), help=_("write it there instead"))


def _manual(commands: Commands) -> None:
    manual = _add(commands, "manual", "commands.manual:manual", _("print the man page"))
    manual.add_argument("--completion", action="store_true", help=_("print the completion for bash instead"))


def _journey(command: argparse.ArgumentParser) -> None:
    _choices(command)
    _dry_run(command)
    _key_file(command)


def _key_file(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--key-file", default="", metavar=_("FILE"), help=_("read the passphrase from FILE (-: standard input)")
    )


def _dry_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dry-run", action="store_true", help=_("print the steps, apply none"))


def _choices(command: argparse.ArgumentParser) -> None:
    command.add_argument("--kernel", metavar=_("FILE"), help=_("kernel that saves and restores"))
    places = _("/dev/PARTITION, /dev/PARTITION:/FILE, file:/FILE of this system, swap, nfs://HOST/FILE, ssh://USER@HOST/FILE")
    command.add_argument("--target", metavar=_("PLACE"), help=places)
    command.add_argument("--region", metavar=_("SIZE"), help=_("memory for the saver, such as 240M"))
    command.add_argument("--codec", choices=[codec.value for codec in CodecChoice])
    command.add_argument("--verify", action="store_true", default=None, help=_("read the whole image back before power-off"))
    command.add_argument("--after", choices=[after.value for after in After], help=_("what follows saving"))
    command.add_argument("--wake", metavar=_("WHEN"), help=_("wake by itself, at 07:30 or after 8h"))


def _lab(commands: Commands) -> None:
    from khib_tui.commands import labarguments

    lab = _add(commands, "lab", "commands.lab:lab", _("the throwaway QEMU machine: try everything without risk"))
    labarguments.add_options(lab, _add)


COMMANDS: dict[str, Callable[[Commands], None]] = {
    "check": _check, "facts": _facts, "kernels": _kernels, "status": _status, "plan": _plan, "setup": _setup,
    "install": _install, "rehearse": _rehearse, "hibernate": _hibernate, "seal": _seal, "restore": _restore, "back": _back,
    "image": _image, "report": _report, "manual": _manual, "lab": _lab,
}  # fmt: skip
