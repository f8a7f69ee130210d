"""EFI variables, on a folder that stands for efivarfs."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from khib_tui.linux import efivars

GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


def test_a_variable_is_attributes_and_value(tmp_path: Path) -> None:
    place = efivars.place("BootNext", GUID, tmp_path)
    assert place.name == f"BootNext-{GUID}" and efivars.read(place) is None
    efivars.write(place, b"\x48\x4b")
    assert place.read_bytes() == b"\x07\0\0\0\x48\x4b" and efivars.read(place) == b"\x48\x4b"


def test_it_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []
    monkeypatch.setattr(os, "write", lambda _, data: calls.append(data))
    efivars.write(tmp_path / "x", b"value")
    assert calls == [b"\x07\0\0\0value"]


def test_a_refusal_leaves_nothing_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"\x07\0\0\0before")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "write", full)
    for path in (tmp_path / "new", old):
        with pytest.raises(OSError, match="no room"):
            efivars.write(path, b"value")
    assert [path.name for path in tmp_path.iterdir()] == ["old"] and efivars.read(old) == b"before"


def test_the_immutable_flag_is_cleared_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, calls = tmp_path / "x", []
    path.write_bytes(b"")

    def ioctl(_: int, request: int, flags: bytes) -> bytes:
        calls.append((request, flags))
        return b"\x18\0\0\0"

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    efivars.write(path, b"v")
    assert calls == [(0x80086601, bytes(4)), (0x40086602, b"\x08\0\0\0")]


def test_removing(tmp_path: Path) -> None:
    efivars.write(tmp_path / "x", b"v")
    assert efivars.remove(tmp_path / "x") and not efivars.remove(tmp_path / "x") and not list(tmp_path.iterdir())
