"""Reading setup headers: what a kernel says about itself, and every way a file can be none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.errors import Refused
from khib_tui.formats import bzimage
from tests.kit.faketree import bzimage as fake

GOOD = fake()


def parse(image: bytes) -> bzimage.BzImage:
    return bzimage.parse(Path("vmlinuz"), image, len(image))


def test_reads_all_fields(tmp_path: Path) -> None:
    path = tmp_path / "vmlinuz"
    path.write_bytes(GOOD)
    found = bzimage.read(path)
    assert found.path == path
    assert (found.payload_offset, found.payload_size) == (2048, 1024)
    assert GOOD[found.payload_offset :][: found.payload_size] == b"\xfa" * 1024
    assert (found.init_size, found.pref_address, found.kernel_alignment) == (0x12AB000, 0x1000000, 0x200000)
    assert (found.protocol, found.xloadflags, found.cmdline_size) == (0x20F, 0x7B, 2047)
    assert found.relocatable and found.kernel_64
    assert found.banner == "6.1.0-18-amd64 (builder@host) #1 SMP"
    assert found.release == "6.1.0-18-amd64"


def test_setup_header_ends_where_its_jump_goes() -> None:
    header = parse(GOOD).setup_header
    assert len(header) == 0x202 + 0x6A - 0x1F1
    assert header[0x202 - 0x1F1 :][:4] == b"HdrS"


def test_zero_setup_sectors_mean_four() -> None:
    assert parse(fake(setup_sects=0)).payload_offset == 5 * 512


def test_a_signature_after_the_kernel_is_not_payload() -> None:
    assert parse(GOOD + b"signature" * 100).payload_size == 1024


def test_flags_can_be_off() -> None:
    assert parse(fake(relocatable=0)).relocatable is False
    assert parse(fake(xloadflags=2)).kernel_64 is False


def test_release_of_a_hostile_kernel_is_clean() -> None:
    assert parse(fake("6.1\x1b[2J")).release == "6.1\\x1b[2J"
    assert parse(fake(kernel_version=0)).release == ""
    assert parse(fake(kernel_version=0xFFFF)).release == ""


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"\x7fELF" + bytes(4096),
        GOOD[:0x263],
        GOOD[:2048],
        GOOD[:-16],
        fake(boot_flag=0),
        fake(magic=0),
        fake(version=0x20B),
        fake(loadflags=0),
        fake(syssize=0),
        fake(init_size=64),
        fake(jump=0x40EB),
        fake(jump=0xFFEB),
    ],
)
def test_refuses_what_is_no_whole_bzimage(image: bytes) -> None:
    with pytest.raises(Refused, match="vmlinuz is not a kernel") as caught:
        parse(image)
    assert caught.value.ident == "HIB-E-BZIMAGE"


def test_refuses_missing_file_and_directory_by_name(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(Refused, match=str(path)):
            bzimage.read(path)


@given(st.binary(max_size=64), st.integers(0, 0x300))
def test_any_damage_gives_an_image_inside_the_file_or_a_refusal(junk: bytes, offset: int) -> None:
    image = GOOD[:offset] + junk + GOOD[offset + len(junk) :]
    try:
        found = parse(image)
    except Refused:
        return
    assert 0 < found.payload_size <= len(image) - found.payload_offset
    assert found.payload_size <= found.init_size
    assert len(found.setup_header) <= 0x290 - 0x1F1
