"""What documents say of the code: what is made from it is fresh, and what they name is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from reference import events, idents
from reference.document import replaced
from reference.idents import IDENT, Row
from reference.source import Source

from tests.kit import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
# A name of a module or folder: `image/store`, `screens/wizard/`, `tests/kit`, `cli`; or the path of a file.
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
PLACES = (ROOT, ROOT / "khib_tui")


def test_events_and_idents_are_what_the_code_has() -> None:
    for name, made in {"events.md": events.listing(), "idents.md": idents.listing(Source.read())}.items():
        text = (DOCS / name).read_text()
        assert text == replaced(text, made), f"docs/{name} is stale: run scripts/docs"


def test_no_identifier_of_the_code_is_left_out() -> None:
    written = set()
    for module in Source.read().modules:
        inside = (node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str))
        written |= {text for text in inside if IDENT.fullmatch(text)}
    listed = set(re.findall(r"`(HIB-[^`]+)`", (DOCS / "idents.md").read_text()))
    assert len(written) > 100 and {ident for ident in written if not ident.endswith("-")} <= listed


MADE_UP = """
LIMIT = 4

class KhibError(Exception):
    exit_code = Exit.ERROR
    def __init__(self, message, *, hint=None, ident="HIB-E-GENERAL"): ...

class Refused(KhibError):
    exit_code = Exit.REFUSED

class Finding:
    ident: str
    severity: str
    what: str
    why: str = ""
    fix: str = ""

def judge(ident, good, what, *, severity=Severity.BLOCKER):
    return Finding(ident, Severity.OK, "fine") if good else Finding(ident, severity, what, "", f"see {what}")

def one(disk):
    if disk.gone:
        what = "gone"
        raise Refused(what, hint="look" if disk.seen else None, ident="HIB-E-GONE")
    what = f"{disk.name} has {size(disk.size)} of {LIMIT}"
    raise Refused(what, ident=f"HIB-E-DISK-{disk.kind}")

def two():
    return judge("HIB-W-ONE", 1, "uno", severity=Severity.WARNING), judge("HIB-E-TWO", 2, "due")

def three(error):
    if not error:
        raise KhibError("nothing")
    raise Refused(error.message, ident=error.ident)
"""


def test_causes_and_steps_are_read_from_the_code() -> None:
    assert idents.rows(Source([ast.parse(MADE_UP)])) == [
        Row("HIB-E-DISK-{kind}", "{name} has {size} of 4", "", "REFUSED"),
        Row("HIB-E-GENERAL", "nothing", "", "ERROR"),
        Row("HIB-E-GONE", "gone", "look / ", "REFUSED"),
        Row("HIB-E-TWO", "due", "see due", "blocker"),
        Row("HIB-W-ONE", "uno", "see uno", "warning"),
    ]


def named(page: Path) -> list[str]:
    """Return what a page names in code style that looks like a place of ours: with a slash, or in a table of places."""
    words = re.findall(r"`([^`\n]+)`", page.read_text())
    ours = {path.name for place in PLACES for path in place.iterdir()} | {"docs", "tests", "screens"}
    return [word for word in words if PATH.fullmatch(word) and "/" in word and word.split("/")[0] in ours]


def there(name: str) -> bool:
    return any((place / name).exists() or (place / f"{name}.py").exists() for place in PLACES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_modules_and_files_that_a_page_names_exist(page: Path) -> None:
    assert [name for name in named(page) if not there(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
