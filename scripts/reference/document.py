"""Documents with a part that is made by a command: it stands between two markers, and the rest is written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_PART = re.compile(r"(<!-- made by scripts/docs -->\n).*?(\n<!-- end -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def replaced(text: str, content: str) -> str:
    """Return a document with new content between its markers.

    :raises ValueError: it lacks them.
    """
    made, count = _PART.subn(lambda found: found[1] + content + found[2], text)
    if count != 1:
        raise ValueError("there are no markers for what scripts/docs makes")
    return made
