"""`khib manual`: the man page and the completion of shells, made from the parser, so that they cannot lag behind it."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from khib_tui import __version__, present
from khib_tui.commands.arguments import EPILOG, parser
from khib_tui.errors import Exit
from khib_tui.events.types import Sink
from khib_tui.i18n import N_, _
from khib_tui.model.settings import PATH
from khib_tui.model.text import encodable
from khib_tui.plan import draft
from khib_tui.seal.file import path_beside

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

FILES = [
    (str(PATH), N_("the choices")), (str(path_beside(PATH)), N_("keyslots, if images are sealed")),
    (str(draft.PLACE), N_("answers that were given and not set up yet")),
]  # fmt: skip


def manual(arguments: Namespace, sink: Sink) -> int:
    """Print it."""
    text = completion(parser()) if arguments.completion else man(parser())
    print(encodable(text, sys.stdout.encoding), end="")
    return Exit.OK


def commands(top: ArgumentParser, name: str = "khib") -> Iterator[tuple[str, ArgumentParser]]:
    """Give each command, and what takes its arguments."""
    yield name, top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from commands(below, f"{name} {word}")


def options(command: ArgumentParser) -> list[argparse.Action]:
    """Return the options of a command that are not hidden."""
    return [action for action in command._actions if action.option_strings and action.help is not argparse.SUPPRESS]


def man(top: ArgumentParser) -> str:
    """Format the man page, in the macros of man(7)."""
    given, word = _("options"), _("command")
    lines = [f'.TH KHIB 8 "" "khib {__version__}"', _heading(_("NAME")), r"khib \- " + _plain(_("hibernation by kexec jump"))]
    lines += [_heading(_("SYNOPSIS")), rf"\fBkhib\fR [\fI{given}\fR] [\fI{word}\fR]"]
    lines += [_heading(_("OPTIONS")), *_options(top), _heading(_("COMMANDS"))]
    for name, command in list(commands(top))[1:]:
        lines += [f".SS {_plain(name)}", _plain(command.description or ""), *_options(command)]
    lines += [_heading(_("KEYS")), *(line for text in present.key_listing() for line in (".br", _plain(text)))]
    lines += [_heading(_("EXIT STATUS")), _plain(_(EPILOG)), _heading(_("FILES"))]
    lines += [line for path, text in FILES for line in (".TP", _plain(path), _plain(_(text)))]
    return "\n".join(line for line in lines if line) + "\n"


def _heading(text: str) -> str:
    return f".SH {text}"


def _options(command: ArgumentParser) -> list[str]:
    lines: list[str] = []
    for action in options(command):
        names = ", ".join(rf"\fB{_plain(name)}\fR" for name in action.option_strings)
        value = rf" \fI{_plain(_value(action))}\fR" if action.nargs != 0 else ""
        lines += [".TP", names + value, _plain((action.help or "").replace("%%", "%")) or r"\&"]
    return lines


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _plain(text: str) -> str:
    """Write text so that roff takes it as it is."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"(?m)^(?=[.'])", r"\\&", escaped)


def completion(top: ArgumentParser) -> str:
    """Format the completion for bash: after each command its own words."""
    cases = []
    for name, command in commands(top):
        below = [found.split()[-1] for found, _ in commands(command, name) if found.count(" ") == name.count(" ") + 1]
        words = [*below, *(text for action in options(command) for text in action.option_strings)]
        cases.append(f'    "{name}") words="{" ".join(words)}" ;;')
    return "\n".join([
        "# Completion of khib for bash; `khib manual --completion` has made it.",
        "_khib() {",
        '  local at="khib" word words=""',
        '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do [[ $word == -* ]] || at="$at $word"; done',
        '  case "$at" in', *cases, "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
        "}", "complete -o default -F _khib khib", "",
    ])  # fmt: skip
