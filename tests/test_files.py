"""Files appear whole, durably and with their permissions, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui.errors import UsageError
from khib_tui.files import PRIVATE, PUBLIC, open_beneath, partial, read, read_ours, whole, write
from khib_tui.model import settings
from khib_tui.seal import file as sealfile


@pytest.fixture(params=[0o000, 0o077])
def mask(request: pytest.FixtureRequest) -> int:
    """The umask of whoever runs khib."""
    former = os.umask(request.param)
    request.addfinalizer(lambda: os.umask(former))
    return int(request.param)


@pytest.mark.parametrize("mode", [PRIVATE, PUBLIC])
def test_a_file_has_its_permissions_whatever_the_umask(tmp_path: Path, mask: int, mode: int) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write(path, b"content", mode)
    assert path.read_bytes() == b"content" and path.stat().st_mode & 0o777 == mode
    assert [part.stat().st_mode & 0o777 for part in (path.parent, path.parent.parent)] == [0o755] * 2
    assert list(path.parent.iterdir()) == [path]


def test_nobody_else_reads_a_private_file_while_it_is_written(tmp_path: Path, mask: int) -> None:
    with whole(tmp_path / "file", PUBLIC):
        assert partial(tmp_path / "file").stat().st_mode & 0o077 == 0


def test_after_a_failure_the_former_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"former")
    with pytest.raises(ZeroDivisionError), whole(path) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"former" and list(tmp_path.iterdir()) == [path]


def test_links_are_replaced_and_never_followed(tmp_path: Path) -> None:
    path, victim = tmp_path / "file", tmp_path / "victim"
    victim.write_bytes(b"mine")
    for link in (path, partial(path)):
        link.symlink_to(victim)
    write(path, b"new")
    assert victim.read_bytes() == b"mine" and path.read_bytes() == b"new" and not path.is_symlink()


def test_a_partial_file_that_was_left_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "file"
    partial(path).write_bytes(b"much longer than what comes now")
    partial(path).chmod(0o644)
    write(path, b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


def test_file_and_folder_are_made_durable_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def fsync(fd: int) -> None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        done.append(f"{path.name} {path.stat().st_size if path.is_file() else (tmp_path / 'file').exists()}")

    monkeypatch.setattr(os, "fsync", fsync)
    write(tmp_path / "file", b"content")
    assert done == ["file.part 7", f"{tmp_path.name} True"]


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read(path, 5) == read_ours(path, 5) == b"12345"
    for reader in (read, read_ours):
        with pytest.raises(OSError, match="larger than 4 bytes"):
            reader(path, 4)


def test_a_pipe_is_no_file_of_ours_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="no ordinary file"):
        read_ours(tmp_path / "fifo", 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has an owner to look at")
@pytest.mark.parametrize(("owner", "mode"), [(0, 0o666), (0, 0o620), (1000, 0o600), (1000, 0o644)])
def test_root_obeys_no_file_that_others_may_write(tmp_path: Path, owner: int, mode: int) -> None:
    for load, name in ((settings.load, "khib.toml"), (sealfile.load, "seal.json")):
        path = tmp_path / name
        path.write_text("")
        path.chmod(mode)
        os.chown(path, owner, owner)
        with pytest.raises(UsageError, match="others than root may write it"):
            load(path)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A filesystem that somebody else filled, and beside it what must stay as it is."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_bytes(b"mine")
    root = tmp_path / "root"
    (root / "dir").mkdir(parents=True)
    (root / "dir" / "file").write_bytes(b"image")
    (root / "link").symlink_to(tmp_path / "victim" / "file")
    (root / "folder").symlink_to(tmp_path / "victim")
    (root / "dir" / "up").symlink_to("../../victim")
    os.mkfifo(root / "fifo")
    return root


def test_a_file_below_a_folder_is_opened_or_made(foreign: Path) -> None:
    for name, flags in (("dir/file", os.O_RDONLY), ("/dir/file", os.O_RDWR), ("dir/new", os.O_RDWR | os.O_CREAT)):
        os.close(open_beneath(foreign, name, flags))
    assert (foreign / "dir/new").stat().st_mode & 0o777 == PRIVATE


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT])
@pytest.mark.parametrize("name", ["link", "folder/file", "folder/new", "dir/up/file", "../victim/file", "dir", "fifo", "", "."])
def test_nothing_below_a_folder_leads_out_of_it(foreign: Path, name: str, flags: int) -> None:
    with pytest.raises(OSError):
        open_beneath(foreign, name, flags)
    victim = foreign.parent / "victim"
    assert (victim / "file").read_bytes() == b"mine" and len(list(victim.iterdir())) == 1
