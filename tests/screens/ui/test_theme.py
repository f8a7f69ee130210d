"""Colours, and what stands for them on one colour."""

from __future__ import annotations

import pytest

from screens.ui import theme


def test_every_palette_entry_says_what_it_is_on_one_colour() -> None:
    assert [entry for entry in theme.PALETTE if len(entry) != 4] == []
    assert {entry[0]: entry[3] for entry in theme.PALETTE}["focus"] == "standout"


@pytest.mark.parametrize(("term", "simple"), [("vt100", True), ("", True), ("linux", False), ("xterm-256color", False)])
def test_old_terminals_and_serial_lines_are_simple(term: str, simple: bool) -> None:
    assert theme.simple({"TERM": term}) is simple
