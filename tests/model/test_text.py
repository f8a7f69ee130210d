"""Text that others wrote must not steer a terminal, and files that are odd must not raise."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khib_tui.facts import read
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


def test_reads_are_bounded_and_never_raise(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b" 42 \xff\n")
    assert read.data(tmp_path / "file", 3) == b" 42"
    assert read.text(tmp_path / "file") == "42 \ufffd"
    assert (read.text(tmp_path), read.text(tmp_path / "none"), read.text(tmp_path / "a\0b")) == ("", "", "")
    assert read.names(tmp_path / "file") == ()
    assert read.names(tmp_path) == ("file",)


@pytest.mark.parametrize(
    ("content", "value"), [("42\n", 42), ("0x10", 16), ("", 7), ("many", 7), ("0x", 7), ("1 2", 1), ("-1", -1)]
)
def test_number(tmp_path: Path, content: str, value: int) -> None:
    (tmp_path / "n").write_text(content)
    assert read.number(tmp_path / "n", 7) == value


@pytest.mark.parametrize(
    ("escaped", "plain"), [(r"/mnt/a\040b", "/mnt/a b"), (r"/\303\244", "/ä"), (r"\134040", r"\040"), ("/plain", "/plain")]
)
def test_unescape(escaped: str, plain: str) -> None:
    assert read.unescape(escaped) == plain


@given(ANY_TEXT)
@example("\ud800\\777")
def test_unescape_takes_anything(raw: str) -> None:
    read.unescape(raw)
