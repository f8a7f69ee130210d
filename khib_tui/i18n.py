"""Texts in the user's language: `_` and `ngettext` translate where a text is used, `N_` only marks one for later.

English stands in the code. Other languages lie in `locale/LANGUAGE/LC_MESSAGES/khib.po`, read as they are and only when needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "locale"
ENGLISH = ""
VARIABLE = "LANGUAGE"
_NAME = re.compile(r"([a-z]{2,3})(?:_[A-Z]{2})?(?:[.@].*)?")
_PART = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', re.MULTILINE)


class Catalogue(NamedTuple):
    """The texts of a language; those with numbers have one for each form that `plural` counts."""

    language: str = ENGLISH
    texts: Mapping[str, tuple[str, ...]] = {}
    plural: Callable[[int], int] = lambda count: int(count != 1)


class _Now:
    """What is spoken; None before the first text."""

    catalogue: Catalogue | None = None


def _(text: str) -> str:
    """Translate a text; what the catalogue has not stays English."""
    return _spoken().texts.get(text, (text,))[0] if text else text


def ngettext(one: str, many: str, count: int) -> str:
    """Translate a text with a number in the form that the number wants."""
    spoken = _spoken()
    return spoken.texts.get(one, (one, many))[spoken.plural(count)]


def N_(text: str) -> str:
    """Mark a text that is translated where it is used: a module's constants are made before the language is known."""
    return text


def use(language: str) -> None:
    """Speak this language from now on, English where there is no catalogue for it; programs that are started do, too."""
    os.environ[VARIABLE] = language or "en"
    _Now.catalogue = None


def speak_english() -> None:
    """Speak English, whatever is asked for: programs read what is said now. What is started is not told."""
    _Now.catalogue = Catalogue()


def language() -> str:
    """Return the language that the user wants, if we have it, as `de`; empty for English."""
    return wanted(os.environ)


def catalogue_file(language: str) -> Path:
    """Return where the texts of a language are."""
    return FOLDER / language / "LC_MESSAGES/khib.po"


def wanted(environ: Mapping[str, str]) -> str:
    """Return the language that the environment asks for, if we have it: as gettext does, `LANGUAGE` first, unless it is C."""
    locale = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    listed = environ.get(VARIABLE, "") if locale not in ("C", "POSIX") else ""
    for name in (listed or locale).split(":"):
        found = _NAME.fullmatch(name)
        if found and (found[1] == "en" or catalogue_file(found[1]).is_file()):
            return ENGLISH if found[1] == "en" else found[1]
    return ENGLISH


def _spoken() -> Catalogue:
    if _Now.catalogue is None:
        _Now.catalogue = Catalogue()
        # What fails is told by texts: they are there whatever becomes of a catalogue, or of the memory for it.
        with suppress(Exception):
            if name := wanted(os.environ):
                _Now.catalogue = read(name)
    return _Now.catalogue


def read(language: str) -> Catalogue:
    """Read a catalogue; doubtful translations are left out.

    :raises OSError: it cannot be read.
    """
    from gettext import c2py

    text = catalogue_file(language).read_text(encoding="utf-8")
    texts = dict(filter(lambda pair: all(pair[1]), _entries(text)))
    header = re.search(r"^Plural-Forms:.*plural=(.*);", texts.pop("", ("",))[0], re.MULTILINE)
    return Catalogue(language, texts, c2py(header[1] if header else "n != 1"))


def _entries(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for block in text.split("\n\n"):
        if "\n#, fuzzy" not in f"\n{block}":
            parts = {name: _unquoted(quoted) for name, quoted in _PART.findall(block)}
            said = tuple(value for name, value in parts.items() if name.startswith("msgstr"))
            if said:
                yield parts["msgid"], said


def _unquoted(quoted: str) -> str:
    import msgspec

    return "".join(map(msgspec.json.decode, quoted.splitlines()))
