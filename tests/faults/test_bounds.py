"""What others wrote is read within bounds: no byte, digit or claimed size ends a kernel or takes its memory."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import zstandard

from khib_tui.errors import ImageError
from khib_tui.facts import kernels
from khib_tui.formats import vmcore
from khib_tui.handover.cmdline import Words
from khib_tui.image.codec import FRAME, Codec, decompress


def test_bytes_that_are_no_text_on_the_command_line_are_nonsense_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "cmdline"
    path.write_bytes(b"quiet \xff\xfe=1 khib.countdown=3 khib.term=a\xffb khib.ui=plain\n")
    words = Words.read(path)
    assert (words.countdown, words.plain, words.term) == (3, True, "")


@pytest.mark.parametrize("release", ["6.1.0-\u00b2", "6.\u0663.0", "\u2460"])
def test_a_digit_that_is_none_orders_a_kernel_and_raises_nothing(release: str) -> None:
    assert sorted(["6.10.0", release, "6.9.0"], key=kernels._version)


def test_a_frame_that_claims_a_gigabyte_is_refused_before_room_is_made_for_it() -> None:
    bomb = zstandard.ZstdCompressor(write_content_size=True).compress(bytes(64 * FRAME))
    with pytest.raises(ImageError) as caught:
        decompress(Codec.ZSTD, memoryview(bomb), FRAME)
    assert caught.value.ident == "HIB-E-FRAME"


def test_notes_without_end_are_refused() -> None:
    with pytest.raises(ImageError):
        list(vmcore.notes(struct.pack("<III", 0, 0, 0) * (vmcore.MAX_NOTES + 1)))
