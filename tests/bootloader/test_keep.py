"""Each loader's entry: written, read back as the loader would, and taken away again."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from khib_tui.bootloader import keep
from khib_tui.bootloader.bls import BootEntry
from khib_tui.model.boot import Folder, Loader, LoaderKind, Partition

FOLDER = Folder("/boot", "/", "sda1", "1111-2222", "vfat")
PLACE = Partition(1, 2048, 204800, "6209c23a-4fb5-8b4e-b747-58ae6a4529bf")
LOADERS = [Loader(kind, Path("/entry"), FOLDER, PLACE) for kind in LoaderKind if kind is not LoaderKind.AUTO]
ENTRY = BootEntry("Resume (khib)", "/khib/vmlinuz", ("/khib/initramfs.img",), "memmap=1M%1M+2 nokaslr")
ALL = pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: str(loader.kind))


def of(kind: LoaderKind) -> Loader:
    return next(loader for loader in LOADERS if loader.kind is kind)


@ALL
def test_what_is_written_is_read_back_and_goes_away(loader: Loader) -> None:
    made = keep.content(loader, ENTRY, b"")
    assert keep.says(keep.parse(loader, made), ENTRY) and keep.content(loader, ENTRY, made) == made
    assert keep.without(loader, made) == b"" and keep.parse(loader, b"") is None


@ALL
def test_another_entry_is_not_taken_for_it(loader: Loader) -> None:
    other = replace(loader)
    for changed in ({"linux": "/x"}, {"initrds": ("/x",)}, {"options": "x"}, {"title": "x"}):
        entry = replace(ENTRY, **changed)
        assert not keep.says(keep.parse(other, keep.content(other, entry, b"")), ENTRY)


def test_bytes_of_the_user_that_are_no_text_stay() -> None:
    loader, user = of(LoaderKind.GRUB), b"# \xff\xfe\r\nset a=b\n"
    made = keep.content(loader, ENTRY, user)
    assert made.startswith(user) and keep.without(loader, made) == user


@pytest.mark.parametrize("options", ["a=1$2", "a=b\\c", "a;b", "'a'"])
def test_words_that_grub_would_expand_are_not_read_back(options: str) -> None:
    entry = BootEntry("t", "/k", ("/i",), options)
    text = entry.text().encode()
    assert not keep.says(keep.parse(of(LoaderKind.GRUB_BLS), text), entry)
    assert keep.says(keep.parse(of(LoaderKind.SYSTEMD_BOOT), text), entry)


def test_an_entry_of_the_specification_has_no_blank_line_and_sorts_last() -> None:
    lines = ENTRY.text().splitlines()
    assert all(line.split(None, 1)[1] for line in lines) and "sort-key zz-khib" in lines and "version 0" in lines
