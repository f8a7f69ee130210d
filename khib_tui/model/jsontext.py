"""JSON and TOML that others wrote or read: decoded with one kind of error, encoded so that it may be printed."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from khib_tui.model.text import clean, encodable, unsafe

T = TypeVar("T")
# What the decoders raise beside their own errors: text that is no UTF-8, numbers and nesting beyond all bounds.
_OTHERS = (ValueError, OverflowError, RecursionError, MemoryError)


def decode(data: bytes, kind: type[T]) -> T:
    """Return what JSON says.

    :raises msgspec.DecodeError: it is no such thing, for whatever reason; its text may be shown.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, *_OTHERS) as error:
        raise msgspec.DecodeError(_reason(error)) from error


def decode_toml(data: bytes, kind: type[T]) -> T:
    """Return what TOML says.

    :raises msgspec.DecodeError: it is no such thing, for whatever reason; its text may be shown.
    """
    try:
        return msgspec.toml.decode(data, type=kind)
    except (msgspec.DecodeError, *_OTHERS) as error:
        raise msgspec.DecodeError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    return clean(str(error), 300) or type(error).__name__


def encode(value: object) -> bytes:
    r"""Return JSON that may be printed: what could steer a terminal or hide text is written as `\uNNNN`, as JSON allows.

    Names of files that are no UTF-8 are told with escapes as text: JSON has no bytes.
    """
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))
    if data.isascii() and b"\x7f" not in data:
        return data
    return "".join(_escaped(char) for char in data.decode()).encode()


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return encodable(value, "utf-8") if isinstance(value, str) else value


def _escaped(char: str) -> str:
    if not unsafe(char):
        return char
    units = memoryview(char.encode("utf-16-le")).cast("H")
    return "".join(f"\\u{unit:04x}" for unit in units)
