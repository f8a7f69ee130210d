"""Filesystems that others wrote: how they are mounted, and that an image file is no link."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image.header import Header, State
from khib_tui.image.store import Store
from khib_tui.linux.buffers import Buffer
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.restorer import vmcore_place
from khib_tui.target import catalog, pick, place
from tests.kit.machines import BIOS, device
from tests.kit.saved import empty

DISK = device(BIOS, "vdb2")
# mount(2): MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOSYMFOLLOW
READ_ONLY, SAFE = 1, 2 | 4 | 8 | 256


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The flags of each mount of a filesystem that holds an image, a link to it, and a link out."""
    flags: list[int] = []
    root = tmp_path / "root"
    root.mkdir()
    with Store(empty(root / "image", 3 << 20), writable=True) as store:
        headers.write(store, Header("ab" * 16, State.COMPLETE, 1))
    empty(tmp_path / "victim", 3 << 20)
    (root / "link").symlink_to(tmp_path / "victim")
    (root / "here").symlink_to("image")
    monkeypatch.setattr(place, "MOUNT_POINT", root)
    monkeypatch.setattr(place, "mount", lambda *given: flags.append(given[3]))
    monkeypatch.setattr(place, "umount", lambda *_: None)
    return flags


def target(path: str) -> TargetRef:
    """A file on the disk."""
    return TargetRef(key_of(DISK), path)


def test_an_image_is_written_on_a_filesystem_that_starts_nothing(asked: list[int]) -> None:
    with place.opened(BIOS.devices, target("/new"), create=True) as store:
        store.write(0, b"image")
    assert asked == [SAFE]


def test_to_look_for_an_image_or_into_it_writes_no_file(asked: list[int]) -> None:
    word = f"{DISK.path}:/image"
    assert [item.header.state for item in catalog.search(BIOS.devices, word)] == [State.COMPLETE]
    with pick.chosen(BIOS, "", word) as (_, store), pytest.raises(OSError):
        store.write_buffer(0, Buffer(4096), 4096)
    assert asked and set(asked) == {SAFE | READ_ONLY}


def test_a_state_is_changed_only_where_that_is_asked_for(asked: list[int]) -> None:
    with pick.chosen(BIOS, "", f"{DISK.path}:/image", writable=True) as (found, store):
        headers.advance(store, found.header, State.ABANDONED)
    assert asked[-1] == SAFE


def test_a_vmcore_is_read_where_nothing_is_written(asked: list[int]) -> None:
    with vmcore_place.opened(f"{DISK.path}:/image", DISK) as file:
        assert file.size == 3 << 20
    assert asked == [SAFE | READ_ONLY]


@pytest.mark.parametrize("name", ["/link", "/here"])
def test_links_are_no_images(asked: list[int], tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError) as caught, place.opened(BIOS.devices, target(name), create=True):
        pytest.fail("it was opened")
    assert caught.value.ident == "HIB-E-STORE"
    with pytest.raises(OSError), vmcore_place.opened(f"{DISK.path}:{name}", DISK):
        pytest.fail("it was opened")
    assert catalog.search(BIOS.devices, f"{DISK.path}:{name}") == []
    assert (tmp_path / "victim").read_bytes() == bytes(3 << 20)


def test_the_mount_point_is_nobody_elses_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "run/khib/target"
    seen: list[Any] = []
    monkeypatch.setattr(place, "MOUNT_POINT", made)
    monkeypatch.setattr(place, "mount", lambda *given: seen.append(given))
    monkeypatch.setattr(place, "umount", seen.append)
    former = os.umask(0)
    try:
        with place.mounted(DISK):
            assert [part.stat().st_mode & 0o777 for part in (made, made.parent)] == [0o755, 0o755]
    finally:
        os.umask(former)
