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


def test_the_next_start_is_a_s_until_it_is_chosen_again(tmp_path: Path) -> None:
    disk = disk_with(tmp_path, b"", "....BootNext\1")
    spoil.choose_a(disk, EFI)
    assert "BootNexT" in (tmp_path / "efivars.fd").read_bytes().decode("utf-16-le")
    spoil.choose_again(disk, EFI)
    assert "BootNext" in (tmp_path / "efivars.fd").read_bytes().decode("utf-16-le")


def test_what_is_not_there_cannot_be_spoiled(tmp_path: Path) -> None:
    disk = disk_with(tmp_path, b"", "nothing")
    with pytest.raises(LabError):
        spoil.choose_a(disk, EFI)
    with pytest.raises(LabError):
        spoil.lose_memory_words(disk, SYSTEMD_BOOT)
