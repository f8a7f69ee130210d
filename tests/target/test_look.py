"""A file for an image is looked at in A: before anything is done, and without a trace."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.target import look, place
from khib_tui.target.look import held, refuse_bad_file, refuse_full
from tests.kit.machines import BIOS, changed, device


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A filesystem with some files."""
    (tmp_path / "dir/sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("dir")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "letters.tar").write_bytes(b"ustar")
    (tmp_path / "old.khib").write_bytes(b"KHIBIMG1" + bytes(100))
    (tmp_path / "blank").write_bytes(bytes(100_000))
    (tmp_path / "new").touch()
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.mark.parametrize("path", ["/h.khib", "/dir/h.khib", "/dir/sub/h.khib", "/old.khib", "/blank", "/new"])
def test_a_new_file_or_an_image_of_ours_is_fit(root: Path, path: str) -> None:
    before = sorted(root.rglob("*"))
    refuse_bad_file(root, "/dev/vdb2", path)
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    ("path", "ident", "text"),
    [
        ("/gone/h.khib", "DIRECTORY", "no directory /gone"),
        ("/dir/gone/h.khib", "DIRECTORY", "no directory /dir/gone"),
        ("/new/h.khib", "DIRECTORY", "no directory /new"),
        ("/link/h.khib", "DIRECTORY", "no directory /link"),
        ("/dir", "DIRECTORY", "is a directory"),
        ("/fifo", "DIRECTORY", "no ordinary file"),
        ("/dangling", "DIRECTORY", "no ordinary file"),
        ("/letters.tar", "FILE", "something else than an image"),
    ],
)
def test_what_cannot_be_the_image_is_refused(root: Path, path: str, ident: str, text: str) -> None:
    with pytest.raises(Refused) as caught:
        refuse_bad_file(root, "/dev/vdb2", path)
    assert caught.value.ident == f"HIB-E-TARGET-{ident}" and text in caught.value.message and caught.value.hint


def test_room_counts_what_the_file_has_already(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = os.statvfs(root)
    monkeypatch.setattr(os, "statvfs", lambda _: free)
    there = free.f_bavail * free.f_frsize
    own = (root / "blank").stat().st_blocks * 512
    assert own
    refuse_full(root, "/dev/vdb2", "/h.khib", there)
    refuse_full(root, "/dev/vdb2", "/blank", there + own)
    for path, need in (("/h.khib", there + 1), ("/blank", there + own + 1)):
        with pytest.raises(Refused) as caught:
            refuse_full(root, "/dev/vdb2", path, need)
        assert caught.value.ident == "HIB-E-TARGET-SMALL"


@pytest.mark.parametrize(
    ("fstype", "options"), [("ext4", "noload"), ("xfs", "norecovery"), ("btrfs", "rescue=nologreplay"), ("vfat", "")]
)
def test_it_is_mounted_read_only_without_a_replay(
    root: Path, monkeypatch: pytest.MonkeyPatch, fstype: str, options: str
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(place, "MOUNT_POINT", root)
    monkeypatch.setattr(place, "mount", lambda *given: asked.append(given))
    monkeypatch.setattr(place, "umount", asked.append)
    disk = device(changed(BIOS, "vdb2", fstype=fstype), "vdb2")
    with pytest.raises(Refused):
        look.refuse_unfit(disk, "/gone/h.khib", 1)
    assert asked == [("/dev/vdb2", os.fspath(root), fstype, place.UNTRUSTED | place.MS_RDONLY, options), os.fspath(root)]


def test_a_device_is_asked_for_alone_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, flags, closed = device(BIOS, "vdb1"), list[int](), list[int]()

    def opened(_: str, mode: int) -> int:
        flags.append(mode)
        return 77

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "close", closed.append)
    with held(disk):
        assert closed == []
    assert flags[0] & os.O_EXCL and flags[0] & os.O_ACCMODE == os.O_RDONLY and closed == [77]


def test_a_device_that_somebody_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> int:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(os, "open", busy)
    with pytest.raises(Refused) as caught, held(device(BIOS, "vdb1")):
        raise AssertionError("it was taken")
    assert caught.value.ident == "HIB-E-TARGET-BUSY" and "busy" in caught.value.message and caught.value.hint
