"""Text that others wrote, made safe to show."""

from __future__ import annotations

import unicodedata

# Controls (C0, DEL, C1), format characters (bidi, zero width, tags), surrogates, line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(s: str, limit: int = 128) -> str:
    r"""Replace what could steer a terminal or hide text by visible `\xNN`, `\uNNNN` or `\UNNNNNNNN`.

    :param limit: most characters of the result; what is cut off shows as `…`.
    """
    shown = "".join(_visible(char) for char in s[: limit + 1])
    return shown if len(shown) <= limit else shown[: max(limit - 1, 0)] + "…"[:limit]


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _UNSAFE:
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
