"""A swap's first page: lent and taken back by its last bytes alone, and seen by the system's own tools all the while."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.facts.signatures import LENT, SWAPSPACE, sniff
from khib_tui.model.target import LENT_SWAP
from khib_tui.model.units import MIB, PAGE
from khib_tui.target import swapheader

UUID, LABEL = "6f9c7d1e-2c43-4d5b-9a51-3b6c1f0f2a32", "our swap"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@pytest.fixture
def swap(tmp_path: Path) -> Path:
    """A swap file as mkswap makes it."""
    path = tmp_path / "swap"
    path.write_bytes(bytes(8 * MIB))
    path.chmod(0o600)
    program = shutil.which("mkswap", path=PATH)
    assert program
    subprocess.run([program, "-q", "-U", UUID, "-L", LABEL, path], check=True)
    return path


def kind(path: Path) -> tuple[str, str, str]:
    data = path.read_bytes()
    found = sniff(lambda offset, count: data[offset : offset + count], len(data))
    return found.fstype, found.label, found.uuid


def test_lending_keeps_uuid_label_and_size_and_taking_back_every_byte(swap: Path) -> None:
    before = swap.read_bytes()
    assert swapheader.size(swapheader.read(swap)) == 8 * MIB and kind(swap) == ("swap", LABEL, UUID)
    swapheader.lend(swap)
    assert swapheader.lent(swapheader.read(swap)) and swapheader.size(swapheader.read(swap)) == 8 * MIB
    assert kind(swap) == (LENT_SWAP, LABEL, UUID)
    lent = swap.read_bytes()
    assert lent[: PAGE - 512] == before[: PAGE - 512] and lent[PAGE:] == before[PAGE:]
    # where the kernel's own hibernation has no image, and the signature that is to be put back (kernel/power/swap.c)
    assert lent[PAGE - 32 : PAGE - 10] == bytes(12) + SWAPSPACE
    swapheader.take_back(swap)
    assert swap.read_bytes() == before
    swapheader.take_back(swap)
    assert swap.read_bytes() == before


def test_each_loan_is_another_one(swap: Path) -> None:
    pages = []
    for _ in range(2):
        swapheader.lend(swap)
        pages.append(swapheader.read(swap))
    assert pages[0] != pages[1] and all(page.endswith(LENT) for page in pages)


def test_a_start_of_the_system_finds_the_uuid_of_a_lent_swap_and_knows_that_it_is_none(swap: Path) -> None:
    blkid = shutil.which("blkid", path=PATH)
    if not blkid:
        pytest.skip("there is no blkid")
    swapheader.lend(swap)
    said = subprocess.run([blkid, "-p", "-o", "udev", swap], capture_output=True, text=True, check=True).stdout
    assert f"ID_FS_UUID={UUID}" in said and "ID_FS_USAGE=other" in said and "ID_FS_TYPE=swsuspend" in said


def test_util_linux_makes_a_lent_one_a_swap_again(swap: Path) -> None:
    swapon = shutil.which("swapon", path=PATH)
    if not swapon or os.geteuid():
        pytest.skip("there is no swapon, or nobody may use it")
    swapheader.lend(swap)
    subprocess.run([swapon, swap], capture_output=True, check=False)  # tests may run where nobody may swap
    subprocess.run([swapon.replace("swapon", "swapoff"), swap], capture_output=True, check=False)
    assert kind(swap) == ("swap", LABEL, UUID) and not swapheader.lent(swapheader.read(swap))


@pytest.mark.parametrize(
    ("offset", "data", "word"),
    [(4086, b"S1SUSPEND\0", "no swap"), (4086, bytes(10), "no swap"), (1024, b"\2", "no swap"), (1028, bytes(4), "no swap"),
     (1032, b"\1", "bad pages")],
)  # fmt: skip
def test_what_is_no_swap_is_neither_lent_nor_taken_back(swap: Path, offset: int, data: bytes, word: str) -> None:
    with swap.open("r+b") as stream:
        stream.seek(offset)
        stream.write(data)
    before = swap.read_bytes()
    for deed in (swapheader.lend, swapheader.take_back):
        with pytest.raises(Refused, match=word) as caught:
            deed(swap)
        assert caught.value.ident == "HIB-E-SWAP" and swap.read_bytes() == before
