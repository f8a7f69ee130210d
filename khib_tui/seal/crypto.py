"""Sealed images: authenticated encryption of every frame and of the manifest, and the keyslots that open it.

A random master key is wrapped by keyslots. An image has a key of its own, made of the master key and the image's id; frames
and manifest have subkeys of that one. `cryptography` is imported at the first use only: kernels B and C start without it.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from khib_tui.errors import ImageError, Refused
from khib_tui.i18n import _
from khib_tui.linux.secrecy import keep_secrets
from khib_tui.model.units import KIB, size
from khib_tui.seal import recoverykey
from khib_tui.seal.keyslots import Cipher, Keyslot, Kind, Seal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

__all__ = ["OVERHEAD", "Cipher", "Keyslot", "Kind", "Seal", "Sealer", "create", "has_aes", "image_key", "sealer_for", "unlock"]

KEY = 32
OVERHEAD = 16
ITERATIONS, MEMORY, LANES, SALT = 3, 64 * 1024, 4, 16
_MAX_ITERATIONS, _MAX_MEMORY, _MAX_LANES = 16, 128 * 1024, 16
_ONCE = bytes(12)
NO_MEMORY = "HIB-E-SEAL-MEMORY"


@cache
def has_aes() -> bool:
    """Return whether this processor computes AES in hardware (`aes` in /proc/cpuinfo)."""
    try:
        with open("/proc/cpuinfo") as stream:
            flags = next((line for line in stream if line.startswith("flags")), "")
    except OSError:
        return False
    return "aes" in flags.split()


def best_cipher() -> Cipher:
    """Return the cipher that is fast on this processor."""
    return Cipher.AES if has_aes() else Cipher.CHACHA


def create(passphrase: str, cipher: Cipher) -> tuple[Seal, str]:
    """Make a new master key and wrap it.

    :returns: the seal, and the recovery key, which is kept nowhere.
    """
    keep_secrets()
    master = os.urandom(KEY)
    recovery = recoverykey.create()
    secret = recoverykey.parse(recovery)
    assert secret
    slots = (_wrap(master, cipher, Kind.PASSPHRASE, passphrase.encode()), _wrap(master, cipher, Kind.RECOVERY, secret))
    return Seal(cipher, slots), recovery


def unlock(seal: Seal, secret: str) -> bytes:
    """Return the master key for a passphrase or recovery key.

    :raises ImageError: no keyslot opens with it (HIB-E-PASSPHRASE); a keyslot is malformed (HIB-E-SEAL).
    """
    keep_secrets()
    recovery = recoverykey.parse(secret)
    tries = [(Kind.RECOVERY, recovery)] if recovery else []
    for kind, key in [*tries, (Kind.PASSPHRASE, secret.encode(errors="surrogateescape"))]:
        for slot in seal.slots:
            if slot.kind is kind and (master := _unwrap(seal.cipher, slot, key)):
                return master
    if recovery:
        raise _wrong(_("this recovery key belongs to another seal"), _("look for the recovery key of this system"))
    if recoverykey.resembles(secret):
        raise _wrong(_("this is not the passphrase; as a recovery key it has a typing error"), _("compare it with your note"))
    raise _wrong(_("the passphrase is wrong"), _("type it again, or type the recovery key"))


def image_key(master: bytes, image_id: str) -> bytes:
    """Make the key of one image; it tells nothing about the master key or other images."""
    return _derive(master, "khib image v1", image_id.encode())


class Sealer:
    """Seals and opens one image's frames and manifest; may be used by several threads at once.

    :param key: from `image_key`.
    """

    OVERHEAD = OVERHEAD

    def __init__(self, key: bytes, cipher: Cipher, image_id: str) -> None:
        self.key = key
        self.aad = image_id.encode()
        self.frames = _aead(cipher, _derive(key, "payload"))
        self.manifest = _aead(cipher, _derive(key, "manifest"))

    def seal(self, number: int, last: bool, data: bytes | memoryview) -> bytes:
        """Encrypt frame `number` (from 0); gives ciphertext and tag. Never seal two contents under one number."""
        return self.frames.encrypt(_nonce(number, last), data, self.aad)

    def open(self, number: int, last: bool, data: bytes | memoryview) -> bytes:
        """Decrypt a frame.

        :raises ImageError: it is not the frame that was sealed at this place of this image (HIB-E-AUTH).
        """
        return _decrypt(self.frames, _nonce(number, last), data, self.aad, _("frame {number}").format(number=number))

    def seal_manifest(self, data: bytes) -> bytes:
        """Encrypt the manifest; there is one an image."""
        return self.manifest.encrypt(_ONCE, data, self.aad)

    def open_manifest(self, data: bytes | memoryview) -> bytes:
        """Decrypt the manifest.

        :raises ImageError: it is not the one that was sealed, or the key is another image's (HIB-E-AUTH).
        """
        return _decrypt(self.manifest, _ONCE, data, self.aad, _("the manifest"))


def sealer_for(seal: Seal, secret: str, image_id: str) -> Sealer:
    """Make the sealer of an image from its header's seal and what a person typed.

    :raises ImageError: as `unlock`.
    """
    return Sealer(image_key(unlock(seal, secret), image_id), seal.cipher, image_id)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _aead(cipher: Cipher, key: bytes) -> AESGCM | ChaCha20Poly1305:
    from cryptography.hazmat.primitives.ciphers import aead

    return aead.AESGCM(key) if cipher is Cipher.AES else aead.ChaCha20Poly1305(key)


def _decrypt(opener: AESGCM | ChaCha20Poly1305, nonce: bytes, data: bytes | memoryview, aad: bytes, what: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return opener.decrypt(nonce, data, aad)
    except InvalidTag as error:
        hint = _("do not resume this image; `khib image discard` gives it up")
        raise ImageError(
            _("{what} was changed since the image was sealed").format(what=what), hint=hint, ident="HIB-E-AUTH"
        ) from error


def _derive(key: bytes, info: str, salt: bytes | None = None) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), KEY, salt, info.encode()).derive(key)


def _stretch(slot: Keyslot, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(salt=slot.salt, length=KEY, iterations=slot.iterations, lanes=slot.lanes, memory_cost=slot.memory)
    try:
        return kdf.derive(secret)
    except MemoryError:
        raise Refused(
            _("there is not enough memory: {size} are needed for a passphrase").format(size=size(slot.memory * KIB)),
            ident=NO_MEMORY,
            hint=_(
                "end other programs; in the restoring kernel choose Shell, and type `khib restore --plain`, which takes less"
            ),
        ) from None


def _aad(cipher: Cipher, slot: Keyslot) -> bytes:
    """Return what a keyslot authenticates: the seal's cipher and all of the slot but the wrapped key."""
    return msgspec.json.encode([cipher, msgspec.structs.replace(slot, wrapped=b"")])


def _wrap(master: bytes, cipher: Cipher, kind: Kind, secret: bytes) -> Keyslot:
    slot = Keyslot(kind, ITERATIONS, MEMORY, LANES, os.urandom(SALT), b"")
    # The wrapping key is new with each salt and is used once, so the nonce may be fixed.
    wrapped = _aead(Cipher.AES, _stretch(slot, secret)).encrypt(_ONCE, master, _aad(cipher, slot))
    return msgspec.structs.replace(slot, wrapped=wrapped)


def _unwrap(cipher: Cipher, slot: Keyslot, secret: bytes) -> bytes | None:
    """Return the master key, or None if the secret is not this slot's."""
    from cryptography.exceptions import InvalidTag

    sane = 0 < slot.iterations <= _MAX_ITERATIONS and 0 < slot.lanes <= _MAX_LANES and len(slot.salt) == SALT
    if not sane or not 8 * slot.lanes <= slot.memory <= _MAX_MEMORY:
        raise ImageError(
            _("a keyslot has impossible parameters"), hint=_("the image's header was tampered with"), ident="HIB-E-SEAL"
        )
    try:
        return _aead(Cipher.AES, _stretch(slot, secret)).decrypt(_ONCE, slot.wrapped, _aad(cipher, slot))
    except InvalidTag:
        return None


def _wrong(message: str, hint: str) -> ImageError:
    return ImageError(message, hint=hint, ident="HIB-E-PASSPHRASE")
