"""Archives that the kernel unpacks: what goes in comes out, for a parser that knows nothing of the writer."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from khib_tui.formats.cpio import Entry, archive, device, directory, file, symlink
from khib_tui.runner import run

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40).filter(
    lambda name: name not in (".", "..", "TRAILER!!!")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
ENTRIES = st.lists(
    st.builds(
        Entry, PATHS, st.integers(0, 0o177777), st.binary(max_size=70), st.tuples(st.integers(0, 4095), st.integers(0, 255))
    ),
    max_size=12,
    unique_by=lambda entry: entry.name,
)


def parse(data: bytes) -> list[tuple[str, list[int], bytes]]:
    """Read an archive as the kernel's init/initramfs.c does: name, the header's numbers, content."""
    found: list[tuple[str, list[int], bytes]] = []
    at = 0
    while True:
        assert at % 4 == 0
        assert data[at : at + 6] == b"070701"
        numbers = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        name_end = at + 110 + numbers[11]
        assert data[name_end - 1] == 0
        name = data[at + 110 : name_end - 1].decode("utf-8", "surrogateescape")
        start = name_end + -name_end % 4
        end = start + numbers[6]
        if name == "TRAILER!!!":
            assert not any(data[end:])
            return found
        found.append((name, numbers, data[start:end]))
        at = end + -end % 4


@given(ENTRIES)
@example([])
@example([Entry("a", 0o100644, b"x" * 3), Entry("bb", 0o100644, b"x" * 4), Entry("ccc", 0o100644, b"x" * 5)])
def test_what_goes_in_comes_out(entries: list[Entry]) -> None:
    data = archive(entries)
    assert len(data) % 512 == 0
    back = parse(data)
    assert [(name, numbers[1], content) for name, numbers, content in back] == [(e.name, e.mode, e.data) for e in entries]
    assert [tuple(numbers[9:11]) for _, numbers, _ in back] == [entry.rdev for entry in entries]
    assert [numbers[0] for _, numbers, _ in back] == list(range(1, len(entries) + 1))
    assert not any(number for _, numbers, _ in back for number in (*numbers[2:4], numbers[5]))


@given(ENTRIES)
def test_the_same_entries_give_the_same_bytes(entries: list[Entry]) -> None:
    assert archive(entries) == archive(iter(list(entries)))


@pytest.mark.parametrize("name", ["", "/etc", "etc/", "a//b", "../a", "a/./b", "a\0b", "TRAILER!!!", "n" * 4096, "/", "."])
def test_names_that_cannot_be_told_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        archive([Entry(name, 0o100644)])


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        archive([file("a", b""), file("a", b"")])


def test_kinds() -> None:
    modes = [entry.mode for entry in (directory("d"), file("f", b"", 0o755), symlink("l", "f"), device("c", 5, 1))]
    assert [stat.filemode(mode) for mode in modes] == ["drwxr-xr-x", "-rwxr-xr-x", "lrwxrwxrwx", "crw-------"]


@pytest.mark.skipif(not shutil.which("cpio"), reason="cpio is not installed")
def test_cpio_unpacks_it(tmp_path: Path) -> None:
    made = tmp_path / "made.cpio"
    entries = [
        directory("d"),
        file("d/odd", b"12345"),
        file("d/empty", b""),
        symlink("d/link", "odd"),
        file("run", b"#!", 0o755),
    ]
    made.write_bytes(archive(entries))
    run(["cpio", "-idm", "--quiet", "--no-absolute-filenames", "-F", made], cwd=tmp_path)
    assert (tmp_path / "d/odd").read_bytes() == b"12345"
    assert (tmp_path / "d/empty").read_bytes() == b""
    assert (tmp_path / "d/link").readlink() == Path("odd")
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
