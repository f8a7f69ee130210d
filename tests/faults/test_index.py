"""Indexes that were changed by somebody who can make sound digests: refused, or they restore the very same memory."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
import xxhash

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.handover.handover import Mode
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image.codec import FRAME, compress, seek_table
from khib_tui.image.header import PAYLOAD_OFFSET
from khib_tui.image.manifest import Frame, Manifest
from khib_tui.image.reader import Payload
from khib_tui.image.store import BLOCK, Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import restore as restorer
from khib_tui.saver import save as saver
from tests.kit import saved

SIZE = 5 * MIB
RAM = Ranges.of([(PAGE, SIZE)])


class Forger:
    """Keeps a sound image, and writes others like it with another index."""

    def __init__(self, directory: Path) -> None:
        self.memory, self.image = directory / "memory", saved.empty(directory / "image", 16 * MIB)
        self.data = random.Random(3).randbytes(PAGE) * (SIZE // PAGE)
        self.memory.write_bytes(self.data)
        given = saved.handover(CodecChoice.LZ4, mode=Mode.SAVE, ram=RAM.spans, region=(), saved=RAM.spans, report_page=2 * PAGE)
        with Store(self.image, writable=True) as store:
            entry = PhysicalMemory(self.memory)
            self.header = saver.save(given, 2 * PAGE, entry, store, (), ("6.1", "#1"), saved.nothing, Stop())
            self.manifest: Manifest = manifests.read(store, self.header)
            frames = manifests.read_index(store, self.manifest)
            payload = Payload(store, self.manifest, frames)
            self.raw = [payload.open(number) for number in range(len(frames))]
            self.sound = self.image.read_bytes()

    def forge(self, raw: list[bytes], frames: list[Frame] | None = None) -> None:
        """Write an image of these frames, with all digests right."""
        stored = [compress(self.manifest.codec, part) for part in raw]
        made, at = [], PAYLOAD_OFFSET
        for part, packed in zip(raw, stored, strict=True):
            made.append(Frame(at, len(packed), len(part), xxhash.xxh64_digest(packed)))
            at += len(packed)
        made = frames or made
        body = b"".join(stored) + seek_table((frame.stored, frame.raw) for frame in made)
        index = manifests.pack_index(made)
        index_at = PAYLOAD_OFFSET + -(-len(body) // BLOCK) * BLOCK
        manifest = msgspec.structs.replace(
            self.manifest, payload_size=len(body), frames=len(made), raw_size=sum(frame.raw for frame in made),
            index_offset=index_at, index_size=len(index), index_digest=manifests.digest(index),
        )  # fmt: skip
        packed, manifest_at = msgspec.json.encode(manifest), index_at + -(-len(index) // BLOCK) * BLOCK
        with Store(self.image, writable=True) as store:
            for offset, data in ((PAYLOAD_OFFSET, body), (index_at, index), (manifest_at, packed)):
                store.write(offset, data)
            header = msgspec.structs.replace(
                self.header, manifest_offset=manifest_at, manifest_size=len(packed), manifest_digest=manifests.digest(packed)
            )
            headers.write(store, header)

    def restored(self) -> bytes | None:
        """What a memory full of something else holds after the resume; None if it is refused."""
        self.memory.write_bytes(b"\xaa" * SIZE)
        with Store(self.image) as store:
            try:
                _, manifest = restorer.examine(store)
                memory = PhysicalMemory(self.memory, writable=True)
                restorer.fill_memory(store, manifest, memory, saved.nothing, Stop())
            except ImageError:
                return None
        return self.memory.read_bytes()


@pytest.fixture(scope="module")
def forger(tmp_path_factory: pytest.TempPathFactory) -> Forger:
    return Forger(tmp_path_factory.mktemp("forged"))


def test_an_image_that_was_written_anew_as_it_was_is_taken(forger: Forger) -> None:
    forger.forge(forger.raw)
    restored = forger.restored()
    assert restored is not None and restored[PAGE:] == forger.data[PAGE:]


def test_a_short_frame_in_the_middle_is_refused_though_the_sum_is_right(forger: Forger) -> None:
    raw = list(forger.raw)
    raw[1] = raw[1][: -64 * 1024]
    forger.forge([*raw, bytes(64 * 1024)])
    assert forger.restored() is None


def mutated(raw: list[bytes], noise: random.Random) -> list[bytes]:
    """Move bytes between frames, cut, add, exchange, repeat or leave some out; the sum mostly stays right."""
    raw = list(raw)
    one, other = noise.randrange(len(raw)), noise.randrange(len(raw))
    count = noise.choice((1, 8, PAGE, 64 * 1024, FRAME // 2))
    match noise.randrange(6):
        case 0:
            raw[one], raw[other] = raw[one][:-count], (raw[other] + bytes(count))[: FRAME + count]
        case 1:
            raw[one], raw[other] = raw[other], raw[one]
        case 2:
            raw[one] = raw[one][:-count]
            raw.append(bytes(count))
        case 3:
            raw.insert(one, raw[other])
        case 4:
            del raw[one]
        case 5:
            raw[one] = raw[one][:-count]
            raw.insert(one, bytes(count))
    return raw


@pytest.mark.parametrize("count", [60, pytest.param(2500, marks=pytest.mark.long)])
def test_no_mutation_with_sound_digests_leaves_memory_unfilled(
    forger: Forger, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Frames that were exchanged restore what is in them: digests are no protection against that, seals are."""
    noise, refused, stale = random.Random(17), 0, []
    for number in range(count):
        forger.forge(mutated(forger.raw, noise))
        restored = forger.restored()
        refused += restored is None
        if restored is not None and any(restored[at : at + PAGE] == b"\xaa" * PAGE for at in range(PAGE, SIZE, PAGE)):
            stale.append(number)
    with capsys.disabled():
        print(f"\n{count} indexes with sound digests: {refused} refused, {len(stale)} leave memory unfilled")
    assert refused > count // 2
    assert stale == []
