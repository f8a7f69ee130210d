"""Python's files for B and C."""

from __future__ import annotations

from khib_tui.initramfs import pyfiles


def test_assertions_stay_in() -> None:
    code = pyfiles.compiled(b"def f(x):\n    assert x, 'kept text'\n", "m.py")
    assert code is not None and b"kept text" in code
    assert pyfiles.compiled(b"def f(:", "m.py") is None


def test_requirements_of_extras_are_left_out() -> None:
    names = {dist.metadata["Name"].lower() for dist in pyfiles.distributions()}
    assert {"urwid", "msgspec", "wcwidth"} <= names
    assert names.isdisjoint({"pytest", "mypy", "khib-tui"})
