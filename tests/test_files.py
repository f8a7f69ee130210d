"""Files appear whole, durably and with their permissions, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui.files import PRIVATE, PUBLIC, partial, whole, write


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
