"""What a test does to the boot loader's own files while the machine is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.lab import disks, installed, spoil
from khib_tui.lab.cycle import LabError
from khib_tui.lab.installed import ESP
from khib_tui.lab.loader import Kind
from khib_tui.runner import run

SYSTEMD_BOOT, EFI = Kind("systemd-boot", "uefi"), Kind("efi", "uefi")
WORDS = b"x options memmap=exactmap memmap=1M@1M\n"


def disk_with(path: Path, esp: bytes, variables: str) -> Path:
    """Make a disk whose EFI partition and firmware hold something."""
    disk = path / "disk"
    with disk.open("wb") as stream:
        stream.truncate(installed.DISK_SIZE)
    run(["sfdisk", "--quiet", disk], input=installed.partition_table())
    with disk.open("r+b") as stream:
        stream.seek(disks.partitions(disk)[ESP].start + 5000)
        stream.write(esp)
    (path / "efivars.fd").write_bytes(variables.encode("utf-16-le"))
    return disk


def test_memory_words_are_lost_in_place_and_stay_lost(tmp_path: Path) -> None:
    disk = disk_with(tmp_path, WORDS, "nothing")
    for _ in range(2):
        spoil.lose_memory_words(disk, SYSTEMD_BOOT)
        with disk.open("rb") as stream:
            stream.seek(disks.partitions(disk)[ESP].start + 5000)
            assert stream.read(len(WORDS)) == WORDS.replace(b"memmap", b"memmaq")


def test_words_in_the_firmware_s_variables_are_lost_too(tmp_path: Path) -> None:
    disk = disk_with(tmp_path, b"", "memmap=exactmap")
    spoil.lose_memory_words(disk, EFI)
    assert (tmp_path / "efivars.fd").read_bytes().decode("utf-16-le") == "memmaq=exactmap"


def variable(name: str, state: int = 0x3F) -> str:
    """A variable of OVMF's store, as text in UTF-16."""
    header = b"\xaa\x55" + bytes([state, 0, 7]) + bytes(spoil.HEADER - 5)
    return header.decode("utf-16-le", "surrogatepass") + f"{name}\0..value.."


@pytest.mark.parametrize("name", spoil.NEXT)
def test_what_was_set_for_one_start_is_used_up(tmp_path: Path, name: str) -> None:
    disk = disk_with(tmp_path, b"", "pad" + variable("Other") + variable(name, 0x3C) + variable(name))
    before = (tmp_path / "efivars.fd").read_bytes()
    spoil.choose_a(disk, EFI)
    after = (tmp_path / "efivars.fd").read_bytes()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [(0x3F, spoil.DELETED)]
    spoil.choose_again(disk, EFI)
    assert (tmp_path / "efivars.fd").read_bytes() == after
    with pytest.raises(LabError):
        spoil.choose_a(disk, EFI)


def test_what_is_not_there_cannot_be_spoiled(tmp_path: Path) -> None:
    disk = disk_with(tmp_path, b"", "nothing")
    with pytest.raises(LabError):
        spoil.choose_a(disk, EFI)
    with pytest.raises(LabError):
        spoil.lose_memory_words(disk, SYSTEMD_BOOT)
