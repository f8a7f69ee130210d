"""Images read back: whole, or refused for a single flipped bit."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.image import header as headers
from khib_tui.image import verify
from khib_tui.image.header import State
from khib_tui.model.choices import CodecChoice
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import restore as restorer
from khib_tui.seal.crypto import Cipher, Seal, Sealer
from tests.kit.saved import RAM, REGION, Flipped, handover, memory_copy, nothing, restore, save


@pytest.mark.parametrize("codec", [CodecChoice.LZ4, CodecChoice.ZSTD, CodecChoice.NONE])
def test_a_saved_memory_comes_back_whole_and_the_region_is_left_alone(
    memory: Path, target: Path, tmp_path: Path, codec: CodecChoice
) -> None:
    header = save(memory, target, handover(codec))
    assert header.state is State.COMPLETE
    other = tmp_path / "other"
    other.write_bytes(b"\xaa" * 24 * MIB)
    restore(target, other)
    before, after = memory.read_bytes(), other.read_bytes()
    for start, end in RAM - REGION:
        assert after[start:end] == before[start:end]
    for start, end in REGION:
        assert after[start:end] == b"\xaa" * (end - start)


def test_every_flipped_byte_of_the_image_is_refused(memory: Path, target: Path, tmp_path: Path) -> None:
    header = save(memory, target, handover())
    sound = target.read_bytes()
    noise = random.Random(3)
    used = [
        *(noise.randrange(headers.PAYLOAD_OFFSET, header.image_bytes) for _ in range(30)),
        header.manifest_offset, header.image_bytes - 1,
    ]  # fmt: skip
    for at in used:
        broken = bytearray(sound)
        broken[at] ^= 1 << noise.randrange(8)
        target.write_bytes(broken)
        with pytest.raises(ImageError):
            restore(target, memory_copy(tmp_path))


def test_every_truncation_is_refused(memory: Path, target: Path, tmp_path: Path) -> None:
    header = save(memory, target, handover())
    sound = target.read_bytes()[: header.image_bytes]
    for length in [0, 1, 4095, 4096, MIB, MIB + 4096, *range(2 * MIB, header.image_bytes, header.image_bytes // 40)]:
        target.write_bytes(sound[:length])
        with pytest.raises(ImageError):
            restore(target, memory_copy(tmp_path))


SEAL, KEY = Seal(Cipher.AES, ()), bytes(32)


@pytest.mark.parametrize(("codec", "step"), [("lz4", 1), ("zstd", 1), ("none", 17), ("sealed", 1)])
def test_every_single_flipped_bit_behind_the_headers_is_refused(tmp_path: Path, codec: str, step: int) -> None:
    memory, target = tmp_path / "tiny", tmp_path / "tiny-target"
    target.touch()
    memory.write_bytes(b"khib %06d " % 1 * 341 + bytes(4) + bytes(PAGE) + b"memory")
    os.truncate(memory, 4 * PAGE)
    spans = ((0, 4 * PAGE),)
    given = handover(CodecChoice("lz4" if codec == "sealed" else codec), ram=spans, saved=spans, region=())
    sealer = None
    if codec == "sealed":
        given = msgspec.structs.replace(given, seal=SEAL, key=KEY.hex())
        sealer = Sealer(KEY, Cipher.AES, given.image_id)
    header = save(memory, target, given)
    store = Flipped(bytearray(target.read_bytes()))

    def verified() -> None:
        verify.verify(store, restorer.examine(store, sealer)[0], nothing, Stop(), sealer)

    verified()
    for bit in range(headers.PAYLOAD_OFFSET * 8, -(-header.image_bytes // PAGE) * PAGE * 8, step):
        # of the long zeros that fill up a block, one bit a byte
        if step == 1 and bit % 8 and not any(store.data[bit // 8 : bit // 8 + 16]):
            continue
        store.data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError):
            verified()
        store.data[bit // 8] ^= 1 << bit % 8
    verified()
