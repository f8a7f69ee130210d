"""Writes the documents that are made from the code; with --check it only tells which ones are stale."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reference import events, idents
from reference.document import replaced
from reference.source import ROOT, Source


def main(words: Sequence[str]) -> int:
    """Write docs/events.md and docs/idents.md.

    :returns: the exit code: 1 if something was stale and is only to be told.
    """
    stale = []
    for name, content in {"events.md": events.listing(), "idents.md": idents.listing(Source.read())}.items():
        path = ROOT / "docs" / name
        text = replaced(path.read_text(), content)
        if text != path.read_text():
            stale.append(name)
            if "--check" not in words:
                path.write_text(text)
    told = "is stale: run scripts/docs" if "--check" in words else "written"
    for name in stale:
        print(f"docs/{name} {told}", file=sys.stderr)
    return int("--check" in words and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
