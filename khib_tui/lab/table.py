"""What came of many plays, as a table: a line each, and how many went well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from khib_tui.errors import Exit
from khib_tui.events.types import Message, Result, Sink


class Row(Protocol):
    """What came of one play."""

    @property
    def line(self) -> str:
        """Format it."""

    @property
    def wrong(self) -> str:
        """Return what went wrong, empty if nothing did."""


def told(rows: Sequence[Row], data: Sequence[dict[str, Any]], verb: str, what: str, sink: Sink) -> int:
    """Show the table, and tell how many of so many did well.

    :param data: the rows as JSON has them.
    :param what: they did, such as `combinations resumed`.
    :returns: the exit code.
    """
    for item in rows:
        sink(Message(item.line))
    failed = sum(bool(item.wrong) for item in rows)
    text = f"{len(rows) - failed} of {len(rows)} {what}"
    sink(Result(verb, not failed, text, {"rows": list(data)}))
    return Exit.ERROR if failed else Exit.OK
