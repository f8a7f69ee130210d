"""Sealed images, whole: what comes back, what is readable in them, and every exchange of their parts."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.handover.report import new_image_id
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image.store import BLOCK, Store
from khib_tui.lab.sealed import holds
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.units import MIB
from khib_tui.restorer import restore as restorer
from khib_tui.saver import save as saver
from khib_tui.seal import crypto
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.keyslots import Cipher, Seal
from tests.kit.saved import handover, nothing

PASSPHRASE = "correct horse"
IMAGE = "ab" * 16


pytestmark = pytest.mark.usefixtures("quick_seals")


@pytest.fixture
def physical(tmp_path: Path) -> Path:
    """A physical memory of noise."""
    path = tmp_path / "mem"
    path.write_bytes(random.Random(11).randbytes(24 * MIB))
    return path


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """An empty place for an image."""
    path = tmp_path / "medium"
    path.write_bytes(bytes(40 * MIB))
    return path


def refused(ident: str, action: Any, *arguments: Any) -> ImageError:
    with pytest.raises(ImageError) as caught:
        action(*arguments)
    assert caught.value.ident == ident, caught.value
    return caught.value


SECRET = bytes(range(100, 132))


@pytest.fixture
def made(physical: Path) -> tuple[Seal, str]:
    """A seal, its recovery key, and a secret in physical, over pages that begin with nothing else."""
    with physical.open("r+b") as stream:
        stream.seek(9 * MIB)
        stream.write(SECRET * 128)
    return crypto.create(PASSPHRASE, Cipher.AES)


def save(physical: Path, medium: Path, kept: Seal | None, image: str = IMAGE) -> headers.Header:
    key = crypto.image_key(crypto.unlock(kept, PASSPHRASE), image).hex() if kept else ""
    with Store(medium, writable=True) as store:
        given = handover(seal=kept, key=key, image_id=image)
        return saver.save(given, 3 * MIB, PhysicalMemory(physical), store, (), ("6.1", "#1"), nothing, Stop())


def restored(medium: Path, to: Path, opener: Sealer | None) -> None:
    with Store(medium) as store:
        _, manifest = restorer.examine(store, opener)
        restorer.fill_memory(store, manifest, PhysicalMemory(to, writable=True), nothing, Stop(), opener)


def opener(medium: Path, secret: str = PASSPHRASE) -> Sealer:
    with Store(medium) as store:
        header = headers.read(store)
    assert header and header.seal
    return crypto.sealer_for(header.seal, secret, header.image_id)


def blank(tmp_path: Path) -> Path:
    path = tmp_path / "other"
    path.write_bytes(bytes(24 * MIB))
    return path


def test_a_sealed_image_comes_back_by_passphrase_and_by_recovery_key(
    physical: Path,
    medium: Path,
    tmp_path: Path,
    made: tuple[Seal, str],
) -> None:
    header = save(physical, medium, made[0])
    assert header.seal == made[0]
    for secret in (PASSPHRASE, made[1]):
        other = blank(tmp_path)
        restored(medium, other, opener(medium, secret))
        assert other.read_bytes()[9 * MIB : 10 * MIB] == physical.read_bytes()[9 * MIB : 10 * MIB]
        assert other.read_bytes()[8 * MIB :] == physical.read_bytes()[8 * MIB :]


def test_nothing_of_memory_or_machine_is_readable_in_a_sealed_image(
    physical: Path,
    medium: Path,
    made: tuple[Seal, str],
) -> None:
    save(physical, medium, None)
    assert holds(medium, SECRET) and holds(medium, b"firmware_memmap")
    medium.write_bytes(bytes(40 * MIB))
    save(physical, medium, made[0])
    for hidden in (SECRET, b"firmware_memmap", b"way_back", PASSPHRASE.encode(), crypto.unlock(made[0], PASSPHRASE)):
        assert not holds(medium, hidden)


def test_without_its_key_a_sealed_image_is_refused_and_not_changed(
    physical: Path,
    medium: Path,
    tmp_path: Path,
    made: tuple[Seal, str],
) -> None:
    save(physical, medium, made[0])
    before = medium.read_bytes()
    refused("HIB-E-SEALED", restored, medium, blank(tmp_path), None)
    refused("HIB-E-PASSPHRASE", opener, medium, "wrong passphrase")
    foreign = Sealer(b"x" * 32, made[0].cipher, IMAGE)
    refused("HIB-E-AUTH", restored, medium, blank(tmp_path), foreign)
    assert medium.read_bytes() == before


def test_an_image_whose_seal_was_cut_off_is_refused(
    physical: Path,
    medium: Path,
    tmp_path: Path,
    made: tuple[Seal, str],
) -> None:
    header = save(physical, medium, made[0])
    opens = opener(medium)
    with Store(medium, writable=True) as store:
        headers.write(store, msgspec.structs.replace(header, seal=None))
    with pytest.raises(ImageError):
        restored(medium, blank(tmp_path), None)
    restored(medium, blank(tmp_path), opens)
    medium.write_bytes(bytes(40 * MIB))
    save(physical, medium, None)
    refused("HIB-E-AUTH", restored, medium, blank(tmp_path), opens)


def frames_of(medium: Path, opens: Sealer) -> tuple[manifests.Manifest, list[manifests.Frame], headers.Header]:
    with Store(medium) as store:
        header, manifest = restorer.examine(store, opens)
        return manifest, manifests.read_index(store, manifest), header


def rewrite(medium: Path, opens: Sealer, frames: list[manifests.Frame], data: bytes) -> None:
    """Put other frames into an image, with an index and a manifest that agree: what only a key holder could do."""
    manifest, _, header = frames_of(medium, opens)
    index = manifests.pack_index(frames)
    index_offset = manifest.payload_offset - -len(data) // BLOCK * BLOCK
    assert index_offset <= manifest.index_offset
    manifest = msgspec.structs.replace(
        manifest, frames=len(frames), payload_size=len(data), raw_size=sum(frame.raw for frame in frames),
        index_offset=index_offset,
        index_size=len(index), index_digest=manifests.digest(index),
    )  # fmt: skip
    sealed = opens.seal_manifest(msgspec.json.encode(manifest))
    with Store(medium, writable=True) as store:
        store.write(manifest.payload_offset, data)
        store.write(index_offset, index)
        store.write(header.manifest_offset, sealed)
        headers.write(
            store, msgspec.structs.replace(header, manifest_size=len(sealed), manifest_digest=manifests.digest(sealed))
        )


@pytest.mark.parametrize(
    ("how", "ident"), [("swapped", "HIB-E-AUTH"), ("doubled", "HIB-E-AUTH"), ("dropped", "HIB-E-TRUNCATED")]
)
def test_frames_keep_their_places_whatever_the_index_says(
    physical: Path,
    medium: Path,
    tmp_path: Path,
    made: tuple[Seal, str],
    how: str,
    ident: str,
) -> None:
    save(physical, medium, made[0])
    opens = opener(medium)
    manifest, frames, _ = frames_of(medium, opens)
    raw = medium.read_bytes()
    order = list(range(len(frames)))
    small, large = sorted(order[1:-1], key=lambda number: frames[number].stored)[:: len(order) - 3]
    match how:
        case "swapped":
            order[small], order[large] = large, small
        case "dropped":
            order.pop()
        case "doubled":
            order[large] = small
    data, listed = b"", []
    for number in order:
        old = frames[number]
        listed.append(old._replace(offset=manifest.payload_offset + len(data)))
        data += raw[old.offset : old.offset + old.stored]
    rewrite(medium, opens, listed, data)
    refused(ident, restored, medium, blank(tmp_path), opens)


def test_a_flipped_bit_in_the_sealed_manifest_is_noticed_even_with_the_right_digest(
    physical: Path,
    medium: Path,
    tmp_path: Path,
    made: tuple[Seal, str],
) -> None:
    header = save(physical, medium, made[0])
    opens = opener(medium)
    with Store(medium, writable=True) as store:
        stored = bytearray(store.read(header.manifest_offset, header.manifest_size))
        stored[len(stored) // 2] ^= 4
        store.write(header.manifest_offset, bytes(stored))
        headers.write(store, msgspec.structs.replace(header, manifest_digest=manifests.digest(bytes(stored))))
    refused("HIB-E-AUTH", restored, medium, blank(tmp_path), opens)


def test_frames_of_another_image_under_the_same_seal_do_not_fit(
    physical: Path,
    medium: Path,
    tmp_path: Path,
    made: tuple[Seal, str],
) -> None:
    save(physical, medium, made[0])
    opens = opener(medium)
    manifest, frames, _ = frames_of(medium, opens)
    other = tmp_path / "second"
    other.write_bytes(bytes(40 * MIB))
    save(physical, other, made[0], new_image_id())
    second = opener(other)
    theirs, listed, _ = frames_of(other, second)
    data = other.read_bytes()[theirs.payload_offset : theirs.payload_offset + theirs.payload_size]
    assert manifest.payload_offset == theirs.payload_offset and len(frames) == len(listed)
    rewrite(medium, opens, listed, data)
    refused("HIB-E-AUTH", restored, medium, blank(tmp_path), opens)
