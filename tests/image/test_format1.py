"""Images that were written by the code of commit 831d301, the first with this format: it stays readable."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
import zstandard

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.image import header as headers
from khib_tui.image import verify
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.machine import SignatureRule
from khib_tui.model.units import PAGE
from khib_tui.restorer import restore as restorer
from khib_tui.seal import crypto
from khib_tui.seal.crypto import Sealer
from tests.kit import DATA
from tests.kit.saved import nothing

PASSPHRASE = "correct horse battery"
MEMORY = random.Random(5).randbytes(2 * PAGE) + (b"khib" * 1024) * 38 + bytes(8 * PAGE)
RAM = ((PAGE, 48 * PAGE),)
REGION = ((4 * PAGE, 6 * PAGE),)
SAVED = ((PAGE, 4 * PAGE), (6 * PAGE, 48 * PAGE))
KINDS = pytest.mark.parametrize("kind", ["lz4", "zstd-sealed"])


def unpacked(directory: Path, kind: str) -> Path:
    """An image of 831d301 on a medium of its own, which goes on behind it."""
    image = zstandard.decompress((DATA / f"format1-{kind}.image.zst").read_bytes())
    path = directory / "image"
    path.write_bytes(image + bytes(PAGE))
    return path


def opener(store: Store) -> Sealer | None:
    """What opens an image, if it is sealed."""
    header = headers.read(store)
    assert header is not None
    return crypto.sealer_for(header.seal, PASSPHRASE, header.image_id) if header.seal else None


def test_the_memory_is_the_one_that_was_saved() -> None:
    assert hashlib.sha256(MEMORY).hexdigest() == "9ccb05b2a90aa9f369855ae0636110fe38288baad495f2b6585a290439bf61e9"


@KINDS
def test_header_and_manifest_say_what_was_saved(tmp_path: Path, kind: str) -> None:
    with Store(unpacked(tmp_path, kind)) as store:
        headers.refuse_damage(store)
        header, manifest = restorer.examine(store, opener(store))
    assert (header.state, header.image_id, header.host) == (State.COMPLETE, "cd" * 16, "made-by-831d301")
    assert (manifest.ram, manifest.region, manifest.saved) == (RAM, REGION, SAVED)
    assert manifest.way_back.entry == 2 * PAGE
    assert (manifest.hardware_signature, manifest.signature_rule) == ("", SignatureRule.WARN)
    assert manifest.codec == kind.removesuffix("-sealed")
    assert bool(header.seal) is kind.endswith("sealed")


@KINDS
def test_it_is_verified_and_fills_a_memory_with_what_was_saved(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "memory"
    there.write_bytes(b"\xaa" * len(MEMORY))
    with Store(unpacked(tmp_path, kind)) as store:
        sealer = opener(store)
        header, manifest = restorer.examine(store, sealer)
        verify.verify(store, header, nothing, Stop(), sealer)
        restorer.fill_memory(store, manifest, PhysicalMemory(there, writable=True), nothing, Stop(), sealer)
    after = there.read_bytes()
    assert all(after[start:end] == MEMORY[start:end] for start, end in SAVED)
    assert all(after[start:end] == b"\xaa" * (end - start) for start, end in [(0, PAGE), *REGION])


def test_the_sealed_one_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    with Store(unpacked(tmp_path, "zstd-sealed")) as store:
        header = headers.read(store)
        assert header and header.seal and header.seal.cipher == crypto.Cipher.CHACHA
        with pytest.raises(ImageError) as caught:
            crypto.sealer_for(header.seal, PASSPHRASE + "!", header.image_id)
        assert caught.value.ident == "HIB-E-PASSPHRASE"
        with pytest.raises(ImageError) as caught:
            restorer.examine(store)
        assert caught.value.ident == "HIB-E-SEALED"
