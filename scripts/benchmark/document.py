"""docs/performance.md: each part's tables stand between two markers and are replaced as a whole."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from khib_tui.errors import KhibError
from khib_tui.runner import run

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "performance.md"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a Markdown table; all columns but the first are right-aligned."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def replaced(text: str, part: str, content: str) -> str:
    """Put content between the markers of a part.

    :raises KhibError: the text lacks them.
    """
    begin, end = f"<!-- bench:{part} -->", f"<!-- end:{part} -->"
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    made, count = pattern.subn(lambda _: f"{begin}\n{content.strip()}\n{end}", text)
    if count != 1:
        raise KhibError(f"{DOCUMENT.name} has no markers for {part}", hint=f"add {begin} and {end}", ident="HIB-E-BENCH")
    return made


def write(part: str, content: str, path: Path = DOCUMENT) -> None:
    """Replace the tables of a part in the document."""
    path.write_text(replaced(path.read_text(), part, content))


def provenance() -> str:
    """Format which command made a table, when, and on what."""
    words = shlex.join(["scripts/bench", *sys.argv[1:]])
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"`{words}`, {time.strftime('%Y-%m-%d')}, khib {_commit()}: {cpu_model()}, {os.cpu_count()} processors, "
        f"{_memory_gib():.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}; load at the end {load}."
    )


def cpu_model() -> str:
    """Return the processor's name."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def _commit() -> str:
    named = run(["git", "-C", ROOT, "describe", "--always", "--dirty"], check=False)
    return named.stdout.strip() if named.returncode == 0 else "of no commit"
