"""The keymap goes from one kernel's console to another's, whatever is on it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from khib_tui.linux import keymap

NO_TABLE, HOLE = 0x27F, 0x200
Y, Z, U_UMLAUT = 0xB79, 0xB7A, 0xF000 ^ 0xFC


class Console:
    """The keyboard side of a kernel's console, as ioctl shows it."""

    def __init__(self, mode: int = 3) -> None:
        self.mode = mode
        self.tables: dict[int, dict[int, int]] = {0: {21: Y, 44: Z}}
        self.accents = bytearray(4 + 256 * 12)

    def ioctl(self, file: int, request: int, data: bytes | bytearray) -> bytes:
        if request == 0x4B44:
            return struct.pack("<I", self.mode)
        if request == 0x4B46:
            table, key, _ = struct.unpack("<BBH", data)
            value = self.tables[table].get(key, HOLE) if table in self.tables else NO_TABLE if key == 0 else HOLE
            return struct.pack("<BBH", table, key, value)
        if request == 0x4B47:
            table, key, value = struct.unpack("<BBH", data)
            if value >> 8 == 0x0E:
                raise OSError(22, "this kernel knows no such keys")
            self.tables.setdefault(table, {})[key] = value
        if request == 0x4BFA and isinstance(data, bytearray):
            data[:] = self.accents
        if request == 0x4BFB:
            self.accents = bytearray(data)
        return b""


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    for name in ("tty0", "tty1"):
        (tmp_path / name).touch()
    return tmp_path


def use(monkeypatch: pytest.MonkeyPatch, console: Console) -> Console:
    monkeypatch.setattr(keymap.fcntl, "ioctl", console.ioctl)  # type: ignore[attr-defined]
    return console


def test_keys_tables_and_accents_arrive(monkeypatch: pytest.MonkeyPatch, dev: Path) -> None:
    here = use(monkeypatch, Console())
    here.tables = {0: {21: Z, 44: Y, 26: U_UMLAUT, 30: 0xE01}, 2: {21: 0xB5A}}
    here.accents[:4] = b"\x01\0\0\0"
    read = keymap.read(dev)
    there = use(monkeypatch, Console())
    keymap.load(read, dev / "tty0")
    assert [there.tables[0][key] for key in (21, 44, 26)] == [Z, Y, U_UMLAUT] and there.tables[2][21] == 0xB5A
    assert 30 not in there.tables[0], "what a kernel does not take stays as it was"
    assert there.accents == here.accents and set(there.tables) == {0, 2}


def test_a_console_that_hides_letters_is_not_asked(monkeypatch: pytest.MonkeyPatch, dev: Path) -> None:
    use(monkeypatch, Console(mode=4))
    (dev / "tty0").unlink()
    assert keymap.read(dev) == b""


def test_without_a_console_there_is_no_keymap(tmp_path: Path) -> None:
    assert keymap.read(tmp_path) == b""
    (tmp_path / "tty0").touch()
    assert keymap.read(tmp_path) == b"", "no console"


@pytest.mark.parametrize("wrong", [b"", b"khib keymap 1\n", b"khib keymap 1\n" + bytes(4000)])
def test_what_is_no_keymap_is_not_loaded(wrong: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no keymap"):
        keymap.load(wrong, tmp_path / "tty0")


def test_what_can_be_typed_is_what_is_on_keys_and_what_accents_make_of_it(monkeypatch: pytest.MonkeyPatch, dev: Path) -> None:
    here = use(monkeypatch, Console())
    here.tables = {0: {21: Z, 26: U_UMLAUT, 3: 0x032, 59: 0x100, 18: 0xB65}}
    here.accents = bytearray(
        struct.pack("<I3I3I", 2, ord("'"), ord("e"), ord("é"), ord("'"), ord("o"), ord("ó")).ljust(4 + 256 * 12, b"\0")
    )
    assert keymap.characters(keymap.read(dev)) == set("zü2e"), "no key for the accent"
    here.tables[0][13] = 0x401
    assert keymap.characters(keymap.read(dev)) == set("zü2eé")


def test_without_a_keymap_it_is_that_of_the_usa() -> None:
    typed = keymap.characters(b"")
    assert {"a", "Z", "7", "~", " "} <= typed and "ü" not in typed
