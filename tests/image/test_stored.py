"""Frames that are stored as they are: other tools read them, and they come back without being unpacked."""

from __future__ import annotations

import random
import shutil
import subprocess

import lz4.frame
import pytest
import zstandard

from khib_tui.image import stored
from khib_tui.image.codec import LEVELS, Codec, compress, decompress
from khib_tui.model.units import KIB, MIB

NOISE = random.Random(11).randbytes(MIB)
TEXT = b"a frame of text that shrinks %d " * 33000
SIZES = [0, 1, 4096, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, MIB - 4096, MIB]
FAMILIES = pytest.mark.parametrize("codec", [Codec.LZ4, Codec.ZSTD])


@FAMILIES
@pytest.mark.parametrize("size", SIZES)
def test_other_readers_give_the_content(codec: Codec, size: int) -> None:
    frame = stored.wrap(codec, NOISE[:size])
    assert len(frame) == stored.frame_size(codec, size) <= size + 64
    read = lz4.frame.decompress if codec is Codec.LZ4 else zstandard.decompress
    assert read(frame) == NOISE[:size]
    assert bytes(decompress(codec, memoryview(frame), size)) == NOISE[:size]


@pytest.mark.parametrize(("codec", "program"), [(Codec.LZ4, "lz4"), (Codec.ZSTD, "zstd")])
def test_the_tools_read_a_file_of_stored_and_compressed_frames(codec: Codec, program: str) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program}")
    file = b"".join((stored.wrap(codec, NOISE), compress(codec, TEXT[:MIB]), stored.wrap(codec, TEXT[:70000])))
    assert (
        subprocess.run([found, "-dc"], input=file, capture_output=True, check=True).stdout == NOISE + TEXT[:MIB] + TEXT[:70000]
    )


@FAMILIES
def test_what_does_not_shrink_is_stored_and_what_does_is_not(codec: Codec) -> None:
    for effort in range(len(LEVELS[codec]) + 1):
        assert compress(codec, NOISE, effort) == stored.wrap(codec, NOISE)
        made = compress(codec, TEXT[:MIB], effort)
        assert (len(made) < MIB // 4) is (effort > 0)
        assert bytes(decompress(codec, memoryview(made), MIB)) == TEXT[:MIB]


@FAMILIES
def test_a_frame_of_another_layout_is_left_to_the_library(codec: Codec) -> None:
    frame = bytearray(stored.wrap(codec, NOISE))
    frame[4] ^= 1
    assert stored.unwrap(codec, memoryview(frame), MIB) is None
    assert stored.unwrap(codec, memoryview(frame)[:-1], MIB) is None
