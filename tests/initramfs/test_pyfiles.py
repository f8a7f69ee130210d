"""Python's files for B and C."""

from __future__ import annotations

import pytest

from khib_tui.initramfs import pyfiles


def test_assertions_stay_in() -> None:
    code = pyfiles.compiled(b"def f(x):\n    assert x, 'kept text'\n", "m.py")
    assert code is not None and b"kept text" in code
    assert pyfiles.compiled(b"def f(:", "m.py") is None


def test_a_module_is_compiled_to_the_same_bytes_when_its_names_are_in_use_already() -> None:
    source = b"class Outer:\n    class Inner:\n        name = 'Outer.Inner', 'Outer.'\n"
    first = pyfiles.compiled(source, "m.py")
    in_use: dict[str, object] = {}
    exec(source, in_use)
    assert pyfiles.compiled(source, "m.py") == first


def test_requirements_of_extras_are_left_out() -> None:
    names = {dist.metadata["Name"].lower() for dist in pyfiles.distributions()}
    assert {"urwid", "msgspec", "wcwidth"} <= names
    assert names.isdisjoint({"pytest", "mypy", "khib-tui"})


def test_the_texts_of_one_language_are_packed_and_only_if_it_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    def texts() -> list[str]:
        return [name for name, _ in pyfiles.own_packages() if "locale" in name]

    assert texts() == []
    monkeypatch.setenv("LANGUAGE", "de")
    assert texts() == ["usr/lib/khib/khib_tui/locale/de/LC_MESSAGES/khib.po"]
