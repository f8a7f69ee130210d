"""Files that are odd must not raise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khib_tui.facts import read

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


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
