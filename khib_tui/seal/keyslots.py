"""What a seal is made of, without the cryptography: image headers and the hand-over carry these structures."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from khib_tui.i18n import N_, _


class Cipher(StrEnum):
    """The AEAD that seals frames and manifest; both have keys of 32 bytes, nonces of 12 and tags of 16."""

    AES = "aes-256-gcm"
    CHACHA = "chacha20-poly1305"


class Kind(StrEnum):
    """What opens a keyslot."""

    PASSPHRASE = "passphrase"
    RECOVERY = N_("recovery")


class Keyslot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The master key, wrapped with a key that Argon2id makes of a secret. `memory` is in KiB."""

    kind: Kind
    iterations: int
    memory: int
    lanes: int
    salt: bytes
    wrapped: bytes


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How images are sealed, and the ways to the master key."""

    cipher: Cipher
    slots: tuple[Keyslot, ...]


def describe(seal: Seal | None) -> str:
    """Return how an image is sealed."""
    return (
        _("{cipher}, opened by {keys}").format(cipher=seal.cipher, keys=_(" or ").join(_(slot.kind) for slot in seal.slots))
        if seal
        else _("no")
    )
