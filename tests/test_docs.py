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
from tests.test_layers import FLOORS

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
# A path of ours, or what a module there defines: `image/store`, `screens/wizard/`, `docs/events.md`, `plan/step.Action`.
NAME = re.compile(r"(?<![\w/.<~@-])\w+(?:/[\w-]+)*/(?:[\w.-]*\w)?(?![\w/])")
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


def named(text: str) -> list[str]:
    """Return the names of places of ours in a text."""
    ours = {path.name for place in PLACES for path in place.iterdir() if path.is_dir()}
    return [name for name in NAME.findall(text) if name.split("/")[0] in ours]


def there(name: str) -> bool:
    """Return whether a file, a folder or a module is there, or what is said to be defined in a module."""
    module, _, defined = name.rpartition(".")
    paths = [place / path for place in PLACES for path in (name, f"{name}.py")]
    modules = [path for place in PLACES if (path := place / f"{module}.py").exists()]
    return any(path.exists() for path in paths) or any(defined in definitions(path) for path in modules)


def definitions(path: Path) -> set[str]:
    """Return the names that a module has."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_names_of_places_are_found_and_looked_up() -> None:
    text = "saver/run, `image/codec.Codec` (docs/events.md) in lab/guest/, jump/nothing; not /boot/khib, read/write or x.lab/y"
    assert named(text) == ["saver/run", "image/codec.Codec", "docs/events.md", "lab/guest/", "jump/nothing"]
    assert [name for name in named(text) if not there(name)] == ["jump/nothing"]
    assert not there("image/codec.Nothing") and not there("image/nothing.Codec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_modules_and_files_that_a_page_names_exist(page: Path) -> None:
    names = named(page.read_text())
    assert [name for name in names if not there(name)] == []
    assert len(names) > 30 or page.name not in ("architecture.md", "CONTRIBUTING.md"), "the names are not found any more"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_contributing_shows_the_floors_as_they_are_tested() -> None:
    assert "\n".join(["```", *FLOORS, "```"]) in (ROOT / "CONTRIBUTING.md").read_text()
