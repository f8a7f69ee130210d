"""Sealing: keyslots, recovery keys, frames and manifest; nothing that was changed opens, and nothing wrong passes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.errors import ImageError, Refused
from khib_tui.image import header as headers
from khib_tui.image.store import BLOCK
from khib_tui.seal import crypto, recoverykey
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.keyslots import Cipher, Kind, Seal

PASSPHRASE = "correct horse"
IMAGE = "ab" * 16
CIPHERS = list(Cipher)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing; what a slot costs stands in it."""
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)


def sealer(cipher: Cipher = Cipher.AES, key: bytes = b"k" * 32, image: str = IMAGE) -> Sealer:
    return Sealer(key, cipher, image)


def refused(ident: str, action: Any, *arguments: Any) -> ImageError:
    with pytest.raises(ImageError) as caught:
        action(*arguments)
    assert (caught.value.ident, bool(caught.value.hint)) == (ident, True), caught.value
    return caught.value


@pytest.mark.parametrize("cipher", CIPHERS)
def test_passphrase_and_recovery_key_open_the_same_master_key(cipher: Cipher) -> None:
    made, recovery = crypto.create(PASSPHRASE, cipher)
    master = crypto.unlock(made, PASSPHRASE)
    assert len(master) == 32 and crypto.unlock(made, recovery) == master
    assert crypto.unlock(made, recovery.lower().replace("-", "  ")) == master
    assert [slot.kind for slot in made.slots] == [Kind.PASSPHRASE, Kind.RECOVERY]


def test_slots_cost_what_rfc_9106_proposes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    made, recovery = crypto.create(PASSPHRASE, Cipher.AES)
    assert {(slot.iterations, slot.memory, slot.lanes, len(slot.salt)) for slot in made.slots} == {(3, 65536, 4, 16)}
    assert crypto.unlock(made, PASSPHRASE) == crypto.unlock(made, recovery)


def test_two_seals_of_one_passphrase_share_nothing() -> None:
    (one, first), (two, second) = crypto.create(PASSPHRASE, Cipher.AES), crypto.create(PASSPHRASE, Cipher.AES)
    assert first != second and crypto.unlock(one, PASSPHRASE) != crypto.unlock(two, PASSPHRASE)
    assert len({slot.salt for made in (one, two) for slot in made.slots}) == 4
    assert "another seal" in refused("HIB-E-PASSPHRASE", crypto.unlock, one, second).message


@pytest.mark.parametrize("wrong", ["", "correct horsf", PASSPHRASE + "\n", PASSPHRASE.upper(), "\udcff", "é" * 40])
def test_a_wrong_passphrase_opens_nothing(wrong: str) -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)
    assert refused("HIB-E-PASSPHRASE", crypto.unlock, made, wrong).message == "the passphrase is wrong"


def test_a_typing_error_in_a_recovery_key_is_told_from_a_wrong_key() -> None:
    made, recovery = crypto.create(PASSPHRASE, Cipher.AES)
    compact = recovery.replace("-", "")
    for at in range(len(compact)):
        other = "7" if compact[at] != "7" else "8"
        typed = compact[:at] + other + compact[at + 1 :]
        assert "typing error" in refused("HIB-E-PASSPHRASE", crypto.unlock, made, typed).message
    for typed in (compact[1:], compact + "7", compact[:5] + compact[6:]):
        assert "typing error" in refused("HIB-E-PASSPHRASE", crypto.unlock, made, typed).message


def test_letters_that_look_like_digits_may_be_typed_for_them() -> None:
    key = next(key for key in iter(recoverykey.create, "") if "0" in key and "1" in key)
    for one in "IiLl":
        assert recoverykey.parse(key.replace("0", "o").replace("1", one)) == recoverykey.parse(key) is not None


@given(st.text(max_size=80))
def test_no_text_at_all_is_taken_for_a_recovery_key_or_breaks_its_reader(text: str) -> None:
    assert recoverykey.parse(text) is None
    assert recoverykey.resembles(text) in (True, False)


def changed(slot: crypto.Keyslot) -> Iterator[crypto.Keyslot]:
    replace = msgspec.structs.replace
    yield replace(slot, iterations=slot.iterations + 1)
    yield replace(slot, memory=slot.memory + 8)
    yield replace(slot, lanes=slot.lanes - 1)
    yield replace(slot, salt=slot.salt[::-1])
    for at in range(len(slot.wrapped)):
        yield replace(slot, wrapped=slot.wrapped[:at] + bytes([slot.wrapped[at] ^ 1]) + slot.wrapped[at + 1 :])
    yield replace(slot, wrapped=slot.wrapped[:-1])
    yield replace(slot, wrapped=b"")


def test_a_slot_that_was_tampered_with_does_not_open() -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)
    for slot in changed(made.slots[0]):
        refused("HIB-E-PASSPHRASE", crypto.unlock, Seal(made.cipher, (slot, made.slots[1])), PASSPHRASE)
    refused("HIB-E-PASSPHRASE", crypto.unlock, Seal(Cipher.CHACHA, made.slots), PASSPHRASE)
    swapped = msgspec.structs.replace(made.slots[1], kind=Kind.PASSPHRASE)
    refused("HIB-E-PASSPHRASE", crypto.unlock, Seal(made.cipher, (swapped,)), PASSPHRASE)
    refused("HIB-E-PASSPHRASE", crypto.unlock, Seal(made.cipher, ()), PASSPHRASE)


@pytest.mark.parametrize(
    "bad", [{"memory": 1 << 30}, {"iterations": 1 << 20}, {"iterations": 0}, {"lanes": 0}, {"memory": 8}, {"salt": b""}]
)
def test_a_slot_that_would_eat_the_machine_is_refused_unused(bad: dict[str, Any]) -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)
    slot = msgspec.structs.replace(made.slots[0], **bad)
    refused("HIB-E-SEAL", crypto.unlock, Seal(made.cipher, (slot,)), PASSPHRASE)


def test_keys_of_images_differ_and_tell_nothing_of_each_other() -> None:
    master = os.urandom(32)
    keys = {crypto.image_key(master, image) for image in (IMAGE, "cd" * 16)}
    assert len(keys) == 2 and master not in keys
    assert crypto.image_key(master, IMAGE) in keys


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_frame_opens_only_as_what_it_was_sealed(cipher: Cipher) -> None:
    one = sealer(cipher)
    data = os.urandom(5000)
    sealed = one.seal(7, False, memoryview(data))
    assert len(sealed) == len(data) + Sealer.OVERHEAD and data[:64] not in sealed
    assert one.open(7, False, memoryview(sealed)) == data
    for number, last in ((6, False), (8, False), (7, True), (7 << 8, False), (0, False)):
        refused("HIB-E-AUTH", one.open, number, last, sealed)
    other = Cipher.CHACHA if cipher is Cipher.AES else Cipher.AES
    for wrong in (sealer(cipher, b"K" * 32), sealer(cipher, image="cd" * 16), sealer(other)):
        refused("HIB-E-AUTH", wrong.open, 7, False, sealed)


@pytest.mark.parametrize("cipher", CIPHERS)
def test_every_flipped_bit_and_every_truncation_of_a_frame_is_noticed(cipher: Cipher) -> None:
    one = sealer(cipher)
    sealed = one.seal(0, True, b"some content of a frame")
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        refused("HIB-E-AUTH", one.open, 0, True, memoryview(broken))
    for length in range(len(sealed)):
        refused("HIB-E-AUTH", one.open, 0, True, sealed[:length])
    refused("HIB-E-AUTH", one.open, 0, True, sealed + b"\0")


def test_manifest_and_frames_have_keys_of_their_own() -> None:
    one = sealer()
    sealed = one.seal_manifest(b"{}")
    assert one.open_manifest(sealed) == b"{}"
    refused("HIB-E-AUTH", one.open, 0, False, sealed)
    refused("HIB-E-AUTH", one.open_manifest, one.seal(0, False, b"{}"))
    refused("HIB-E-AUTH", sealer(image="cd" * 16).open_manifest, sealed)


def test_many_threads_may_use_one_sealer() -> None:
    one = sealer()
    parts = [os.urandom(1 << 16) for _ in range(200)]

    def there_and_back(number: int) -> bool:
        return one.open(number, False, memoryview(one.seal(number, False, parts[number]))) == parts[number]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(len(parts))))


def test_a_header_with_a_seal_fits_its_slot_and_is_read_back() -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.CHACHA)
    header = headers.Header(
        IMAGE, headers.State.ABANDONED, 9, 1.7e9, "h" * 64, "6" * 64, 1 << 45, 1 << 45, 1 << 44, 1 << 24, "f" * 64,
        "ü" * 512, made,
    )  # fmt: skip
    packed = headers.pack(header)
    assert len(packed) == BLOCK and headers.unpack(packed) == header


KNOWN = (
    b'{"cipher":"aes-256-gcm","slots":[{"kind":"passphrase","iterations":1,"memory":64,"lanes":4,"salt":"AwMDAwMDAwMDAwMDAwMDAw==",'
    b'"wrapped":"+zKpydbqVJXAFFXvJJv1wX/W28oa6c75Le1JD0khZbK9LLCwjSV9j2apo7EtxOHj"},{"kind":"recovery","iterations":1,"memory":64,'
    b'"lanes":4,"salt":"BAQEBAQEBAQEBAQEBAQEBA==","wrapped":"svo5YE6kf8DnCuOysXs/r6c5ANXNLvr+w+sPv8OL9bIxFJxgEPeB9qgXFLCMbsHF"}]}'
)


def test_a_seal_frame_and_manifest_of_former_versions_still_open() -> None:
    made = msgspec.json.decode(KNOWN, type=Seal)
    for secret in (PASSPHRASE, "0810-40G2-0810-40G2-0810-40G2-0813-GX4E"):
        assert crypto.unlock(made, secret) == b"\1" * 32
    key = crypto.image_key(b"\1" * 32, IMAGE)
    assert key.hex() == "b723c92b4fb3c2192249cd4dc5f9d88089f8c7b267c31e052d1ce405cb037564"
    one, other = sealer(Cipher.AES, key), sealer(Cipher.CHACHA, key)
    assert one.open(258, True, bytes.fromhex("dfb64b2a326541f244b981c9bb21dca048462640")) == b"khib"
    assert one.open_manifest(bytes.fromhex("47163ef9d9c0ba9e66d777fbb50a1789d948")) == b"{}"
    assert other.open(258, True, bytes.fromhex("4f8cd98daf7b51cf268262f5ae4f3e51dc5a0edf")) == b"khib"
    assert other.open_manifest(bytes.fromhex("ce4a35d3a5a846ee90be3a13c92880a161a9")) == b"{}"


def test_the_format_is_what_the_document_says() -> None:
    """Open a seal and a frame by docs/image-format.md alone, with nothing of ours."""
    import base64
    import json

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def hkdf(key: bytes, salt: bytes | None, info: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt, info).derive(key)

    slot = json.loads(KNOWN)["slots"][0]
    aad = json.dumps(["aes-256-gcm", slot | {"wrapped": ""}], separators=(",", ":")).encode()
    salt = base64.b64decode(slot["salt"])
    costs = {"iterations": slot["iterations"], "lanes": slot["lanes"], "memory_cost": slot["memory"]}
    slot_key = Argon2id(salt=salt, length=32, **costs).derive(PASSPHRASE.encode())
    master = AESGCM(slot_key).decrypt(bytes(12), base64.b64decode(slot["wrapped"]), aad)
    payload = hkdf(hkdf(master, IMAGE.encode(), b"khib image v1"), None, b"payload")
    nonce = (5).to_bytes(11, "big") + b"\0"
    ours = sealer(Cipher.AES, crypto.image_key(master, IMAGE)).seal(5, False, b"frame")
    assert AESGCM(payload).decrypt(nonce, ours, IMAGE.encode()) == b"frame"


def test_too_little_memory_for_a_passphrase_is_told_with_a_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hungry:
        def __init__(self, **_: object) -> None: ...

        def derive(self, _: bytes) -> bytes:
            raise MemoryError

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", Hungry)
    with pytest.raises(Refused) as caught:
        crypto.create(PASSPHRASE, Cipher.AES)
    assert caught.value.ident == "HIB-E-SEAL-MEMORY" and "64.0 KiB" in str(caught.value) and caught.value.hint
