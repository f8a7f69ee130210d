"""The `khib` command: the only place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from khib_tui.errors import Exit
from khib_tui.events.sinks import JsonSink, PlainSink, steady
from khib_tui.events.types import Failure, Level, Message, Sink
from khib_tui.i18n import _, speak_english
from khib_tui.linux import ending

if TYPE_CHECKING:
    from argparse import Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is typed.

    :returns: the exit code.
    """
    from khib_tui.commands.arguments import parser

    words = sys.argv[1:] if argv is None else list(argv)
    return run(parser(words).parse_args(words))


def run(arguments: Namespace) -> int:
    """Run one command.

    :param arguments: `verb`, `json`, `debug`, and what the verb wants to know.
    :returns: the exit code.
    """
    sink: Sink = JsonSink(sys.stdout.buffer) if arguments.json else PlainSink()
    if arguments.json:
        speak_english()
    try:
        if getattr(arguments, "facts", None):
            function("commands.foreign:refuse")(arguments)
        with ending.armed():
            return int(function(arguments.verb)(arguments, sink) or Exit.OK)
    except KeyboardInterrupt as error:
        number = error.number if isinstance(error, ending.Ended) else signal.SIGINT
        steady(sink)(Message(_("stopped by {name}").format(name=ending.name_of(number)), Level.WARNING))
        return 128 + number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except Exception as error:
        return _fail(arguments, error)


def function(verb: str) -> Any:
    """Import what a verb needs, and nothing else: B and C have no time to lose.

    :param verb: `MODULE:FUNCTION` below khib_tui.
    """
    module, _, name = verb.partition(":")
    return getattr(importlib.import_module(f"khib_tui.{module}"), name)


def _fail(arguments: Namespace, error: Exception) -> int:
    if arguments.debug:
        import traceback

        traceback.print_exception(error)
    sink: Sink = JsonSink(sys.stdout.buffer) if arguments.json else PlainSink(sys.stderr)
    failure = Failure.of(error)
    sink(failure)
    return failure.exit_code
