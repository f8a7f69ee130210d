"""The set-up's id is A's own, and stays the same."""

from __future__ import annotations

import re
from pathlib import Path

from khib_tui.model.setupid import setup_id

ID = "0123456789abcdef0123456789abcdef"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def rooted(root: Path, uuid: str) -> None:
    write(root / "proc/self/mountinfo", "22 1 8:2 / / rw - ext4 /dev/vda2 rw\n23 22 8:1 / /boot rw - vfat /dev/vda1 rw\n")
    for number, name in enumerate(("AAAA-BBBB", uuid), 1):
        node = write(root / f"dev/vda{number}", "")
        link = root / "dev/disk/by-uuid" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../../{node.name}")


def test_it_comes_from_the_machine_id_which_is_not_told(tmp_path: Path) -> None:
    write(tmp_path / "etc/machine-id", f"{ID}\n")
    found = setup_id(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{16}", found) and found not in ID and found == setup_id(tmp_path)
    write(tmp_path / "etc/machine-id", f"{ID[::-1]}\n")
    assert setup_id(tmp_path) != found


def test_without_a_machine_id_it_comes_from_the_root_filesystem(tmp_path: Path) -> None:
    write(tmp_path / "etc/machine-id", "uninitialized\n")
    rooted(tmp_path, "one")
    found, other = setup_id(tmp_path), tmp_path / "other"
    rooted(other, "two")
    write(tmp_path / "third/proc/cmdline", "quiet root=UUID=one ro")
    assert found == setup_id(tmp_path / "third") != setup_id(other) != setup_id(tmp_path / "nothing")
