"""Recovery keys: 17 random bytes and 3 bytes of their SHA-256, as 32 characters of Crockford's base 32 in groups of four."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

_RFC, _CROCKFORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ENCODE = str.maketrans(_RFC, _CROCKFORD)
_DECODE = str.maketrans(_CROCKFORD + "OIL", _RFC + _RFC[0] + _RFC[1] * 2)
_RANDOM, _CHECK, _LENGTH = 17, 3, 32


def create() -> str:
    """Make a new key of 136 random bits."""
    key = os.urandom(_RANDOM)
    text = base64.b32encode(key + _check(key)).decode().translate(_ENCODE)
    return "-".join(text[at : at + 4] for at in range(0, _LENGTH, 4))


def parse(text: str) -> bytes | None:
    """Read a key as typed: case, spaces, dashes, and O for 0, I or L for 1 do not matter; None if its check is wrong."""
    compact = _compact(text)
    if len(compact) != _LENGTH or "U" in compact:
        return None
    try:
        data = base64.b32decode(compact.translate(_DECODE))
    except (ValueError, binascii.Error):
        return None
    key, check = data[:_RANDOM], data[_RANDOM:]
    return key if check == _check(key) else None


def resembles(text: str) -> bool:
    """Return whether somebody may have meant a recovery key: about as many letters and digits."""
    compact = _compact(text)
    return compact.isascii() and compact.isalnum() and abs(len(compact) - _LENGTH) <= 2


def _check(key: bytes) -> bytes:
    return hashlib.sha256(b"khib recovery key" + key).digest()[:_CHECK]


def _compact(text: str) -> str:
    return "".join(text.upper().replace("-", "").split())
