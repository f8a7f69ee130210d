"""Text that others wrote must not steer a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.model import text

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Samsung SSD 980", "Samsung SSD 980"),
        ("Größe 盘 🖴", "Größe 盘 🖴"),
        ("\x1b[2Jroot", "\\x1b[2Jroot"),
        ("a\x7fb\x9bc", "a\\x7fb\\x9bc"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028end\u2029", "line\\u2028end\\u2029"),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("soft\xadhyphen\n", "soft\\xadhyphen\\x0a"),
    ],
)
def test_clean_shows_what_is_unsafe(raw: str, shown: str) -> None:
    assert text.clean(raw) == shown


@given(ANY_TEXT, st.integers(0, 150))
def test_clean_is_safe_bounded_and_stable(raw: str, limit: int) -> None:
    shown = text.clean(raw, limit)
    assert len(shown) <= limit
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert text.clean(shown, limit) == shown
    shown.encode()


def test_clean_says_that_it_cut() -> None:
    assert text.clean("x" * 128) == "x" * 128
    assert text.clean("x" * 129) == "x" * 127 + "…"


def test_german_is_spelt_out_where_its_letters_are_missing() -> None:
    assert text.encodable("Größe: Äpfel, Öl, Übung …", "ascii") == "Groesse: Aepfel, Oel, Uebung ..."
    assert text.encodable("Größe …", "utf-8") == "Größe …" and text.encodable("ü", "latin-1") == "ü"
    assert text.encodable("ж", "ascii") == "\\u0436"
