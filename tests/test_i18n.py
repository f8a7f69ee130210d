"""Texts in other languages: which language is spoken, and that every text of the code has its translation."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from khib_tui import cli, i18n
from khib_tui.i18n import N_, _, ngettext
from khib_tui.runner import run
from tests.kit import MACHINES, ROOT
from tests.kit.imports import modules
from tests.kit.texts import marked, marked_in, raw, shadowed

LANGUAGES = sorted(path.name for path in i18n.FOLDER.iterdir() if path.is_dir())
IN_EACH = pytest.mark.parametrize("language", LANGUAGES)
TEXTS = {found.texts for found in marked() if found.texts is not None}


@pytest.fixture
def german() -> Iterator[None]:
    i18n.use("de")
    yield
    i18n.use("en")


@IN_EACH
def test_every_text_of_the_code_is_translated(language: str) -> None:
    catalogue = i18n.read(language)
    assert sorted(texts for texts in TEXTS if texts[0] not in catalogue.texts) == [], "scripts/translate, then translate"


@IN_EACH
def test_the_catalogue_is_whole_and_has_nothing_else(language: str) -> None:
    with i18n.catalogue_file(language).open("rb") as stream:
        found = [message for message in read_po(stream) if message.id]
    assert [message.id for message in found if message.fuzzy] == []
    ids = {message.id if isinstance(message.id, tuple) else (message.id,) for message in found}
    assert ids == TEXTS, "scripts/translate brings it up to date"


@IN_EACH
def test_a_translation_has_the_fields_of_its_text(language: str) -> None:
    catalogue = i18n.read(language)
    for texts in TEXTS:
        said = catalogue.texts[texts[0]]
        assert len(said) == len(texts)
        for text, other in zip(texts, said, strict=True):
            assert fields(other) == fields(text)
            assert (other[:1].isspace(), other[-1:].isspace()) == (text[:1].isspace(), text[-1:].isspace())


def fields(text: str) -> Counter[str]:
    """The fields of a format, with how they are written out."""
    try:
        return Counter(f"{name}!{conversion}:{spec}" for _text, name, spec, conversion in Formatter().parse(text) if name)
    except ValueError:
        return Counter()


def test_no_text_hides_from_those_who_extract() -> None:
    hidden = [f"{found.path.name}:{found.line}" for found in marked() if found.hidden and found.texts is not None]
    assert hidden == [], "in an f-string xgettext and Babel do not see it"
    assert [found for found in marked() if found.mark == "N_" and found.texts is None] == []


def test_what_errors_findings_and_steps_say_is_marked() -> None:
    sources = modules(ROOT, "khib_tui", "screens")
    assert list(raw(path for name, path in sources.items() if not name.startswith("khib_tui.lab"))) == [], (
        "_(...), see CONTRIBUTING"
    )


@pytest.mark.parametrize(
    "text",
    ["Refused('no way')", "KhibError(f'no way to {x}', ident='A')", "Refused(_('a'), hint='go there')", "Message('it is so')",
     "Finding('A', b, _('c'), 'this is why', _('d'))", "def describe(self):\n    return f'write {x}'"],
)  # fmt: skip
def test_a_raw_text_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_text(text)
    assert len(list(raw([tmp_path / "a.py"]))) == 1
    (tmp_path / "a.py").write_text("Refused(_('no way'), hint=text)\nMessage(f'{a}: {b}')\nFinding('A', b, what, _('why'), '')")
    assert list(raw([tmp_path / "a.py"])) == []


def test_what_translates_is_nowhere_something_else() -> None:
    """Seen: the turns of a loop were counted in `_`, and the refusal behind it called a number; no checker of types minds."""
    assert [place for path in modules(ROOT, "khib_tui", "screens").values() for place in shadowed(path)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f():\n    for _ in x:\n        pass\n    _('a')", 1), ("def f(_):\n    return lambda: _('a')", 1),
        ("def f():\n    _, a = x\n    return a\ndef g():\n    return [_('a') for b in x]", 0),
    ],
)  # fmt: skip
def test_a_mark_that_is_something_else_is_found(tmp_path: Path, code: str, found: int) -> None:
    (tmp_path / "a.py").write_text(f"from khib_tui.i18n import _\n{code}")
    assert len(list(shadowed(tmp_path / "a.py"))) == found


def test_a_constant_is_not_translated_before_the_language_is_known() -> None:
    early = []
    for path in {found.path for found in marked()}:
        tree = ast.parse(path.read_text())
        within = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
        inside = {inner.lineno for node in within for inner in ast.walk(node) if isinstance(inner, ast.Call)}
        early += [f"{path.name}:{found.line}" for found in marked_in(path) if found.mark != "N_" and found.line not in inside]
    assert early == []


def test_german_is_spoken_and_what_is_missing_stays_english(german: None) -> None:
    assert (_("Back"), _("no such text"), _("")) == ("Zurück", "no such text", "")
    said = [ngettext("and {count} more reason", "and {count} more reasons", count).format(count=count) for count in (1, 2)]
    assert said == ["und 1 weiterer Grund", "und 2 weitere Gründe"]
    assert N_("Back") == "Back" and i18n.language() == "de"
    i18n.speak_english()
    assert _("Back") == "Back" and i18n.language() == "de", "only what is said here is English, not what B and C will say"


def test_english_needs_no_catalogue() -> None:
    assert (_("Back"), ngettext("one", "many", 1), ngettext("one", "many", 2)) == ("Back", "one", "many")
    script = "import sys; from khib_tui.i18n import _; _('Back'); print('gettext' in sys.modules, 'json' in sys.modules)"
    assert run([sys.executable, "-c", script]).stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, ""),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, ""),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, ""),
        ({"LANG": "C", "LANGUAGE": "de"}, ""),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "en"}, ""),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "tlh:de:en"}, "de"),
        ({"LANG": "../../etc"}, ""),
        ({"LANG": "fr_FR.UTF-8"}, ""),
    ],
)
def test_the_language_is_what_gettext_would_take(environ: dict[str, str], language: str) -> None:
    assert i18n.wanted(environ) == language


def test_a_doubtful_or_empty_translation_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "FOLDER", tmp_path)
    path = i18n.catalogue_file("de")
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; plural=n>2 ? 2 : n-1;\\n"\n\n#, fuzzy\nmsgid "a"\nmsgstr "b"\n\n'
        'msgid "c"\nmsgstr ""\n\n# it spans lines\nmsgid ""\n"d \\"q\\"\\n"\n"e"\nmsgstr ""\n"ü\\t"\n"x"\n\n'
        'msgid "one"\nmsgid_plural "many"\nmsgstr[0] "1"\nmsgstr[1] "2"\nmsgstr[2] "3"\n'
    )
    found = i18n.read("de")
    assert found.texts == {'d "q"\ne': ("ü\tx",), "one": ("1", "2", "3")}
    assert [found.plural(count) for count in (1, 2, 7)] == [0, 1, 2]


@pytest.mark.parametrize("broken", [b"\xff\xfe", b'msgid "a"\nmsgstr "\\q"\n', b'msgstr "a"\n', MemoryError()])
def test_a_catalogue_that_cannot_be_read_takes_no_text_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, german: None, broken: bytes | Exception
) -> None:
    monkeypatch.setattr(i18n, "FOLDER", tmp_path)
    path = i18n.catalogue_file("de")
    path.parent.mkdir(parents=True)
    path.write_bytes(broken if isinstance(broken, bytes) else b"")
    if isinstance(broken, Exception):
        monkeypatch.setattr(i18n, "read", raising(broken))
    i18n.use("de")
    assert i18n.language() == "de" and _("yes") == "yes" and ngettext("one", "many", 2) == "many"


def raising(error: Exception) -> Callable[[str], None]:
    def read(language: str) -> None:
        raise error

    return read


def test_lines_are_german_and_json_is_english(german: None, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    words = ["check", "--facts", str(MACHINES / "laptop-debian.json")]
    cli.main(words)
    assert "x86_64-Rechner" in capsysbinary.readouterr().out.decode()
    cli.main([*words, "--json"])
    assert b"this is an x86_64 machine" in capsysbinary.readouterr().out
