"""A process with a secret leaves no core dump."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from khib_tui.linux.secrecy import keep_secrets
from khib_tui.seal import ask, crypto
from khib_tui.seal.keyslots import Cipher

PR_GET_DUMPABLE = 3


def dumpable() -> tuple[int, int]:
    """Whether this process can be dumped: its attribute and its limit."""
    return ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0]


def after(work: Callable[[], object]) -> tuple[int, int]:
    """Tell, of a process of its own, whether it can be dumped after some work."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            keep_secrets.cache_clear()
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
            work()
            os.write(writing, repr(dumpable()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as stream:
        told = stream.read()
    os.waitpid(child, 0)
    first, second = told.strip("()").split(",")
    return int(first), int(second)


def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for a passphrase; nobody types one."""
    monkeypatch.setattr(ask, "has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda *_: "x")
    ask.ask("?")


@pytest.mark.usefixtures("quick_seals")
def test_whoever_holds_a_secret_leaves_no_core_dump(tmp_path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = crypto.create("a good passphrase", Cipher.CHACHA)
    works: list[Callable[[], object]] = [
        lambda: ask.from_file(str(key_file)), lambda: typed(monkeypatch), lambda: crypto.unlock(made, "a good passphrase"),
        lambda: crypto.create("a good passphrase", Cipher.CHACHA), _field,
    ]  # fmt: skip
    assert [after(work) for work in works] == [(0, 0)] * len(works)


def _field() -> None:
    from screens.ui.secrets import SecretField

    SecretField()


def test_without_a_secret_nothing_is_changed() -> None:
    assert after(lambda: sys.version)[0] == 1
