"""argparse that speaks the user's language where it writes words of its own; what it complains of stays English."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

from khib_tui.i18n import _
from khib_tui.model.text import encodable


class OptionParser(argparse.ArgumentParser):
    """A parser whose help is translated whole; those of its subcommands are as well."""

    def __init__(self, **given: Any) -> None:
        """Take what argparse takes, but for the formatter and the help option, which are ours."""
        super().__init__(**{**given, "formatter_class": _Formatter, "add_help": False})
        self._positionals.title, self._optionals.title = _("arguments"), _("options")
        self.add_argument("-h", "--help", action="help", default=argparse.SUPPRESS, help=_("show this help"))

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(encodable(message, getattr(file or sys.stderr, "encoding", None)), file)


class _Formatter(argparse.HelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Take the word before the usage from the catalogue."""
        super().add_usage(usage, actions, groups, _("usage: ") if prefix is None else prefix)
