"""Reading cpio archives of the `newc` form, by what their format says and not by our writer."""

from __future__ import annotations

from typing import NamedTuple


class Member(NamedTuple):
    """A file of an archive."""

    mode: int
    data: bytes
    rdev: tuple[int, int]


def members(archive: bytes) -> dict[str, Member]:
    """All files by their names; zeros between archives are skipped, as the kernel does."""
    found, at = {}, 0
    while at < len(archive):
        if not archive[at]:
            at += 4
            continue
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * number : at + 14 + 8 * number], 16) for number in range(13)]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        start = (at + 110 + fields[11] + 3) // 4 * 4
        at = (start + fields[6] + 3) // 4 * 4
        if name != "TRAILER!!!":
            found[name] = Member(fields[1], archive[start : start + fields[6]], (fields[9], fields[10]))
    return found
