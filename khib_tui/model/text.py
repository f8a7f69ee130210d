"""Text that others wrote, made safe to show."""

from __future__ import annotations

import unicodedata

# Controls (C0, DEL, C1), format characters (bidi, zero width, tags), surrogates, line and paragraph separators; marks that
# change the letter before them; and what no standard gives a look.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Mc", "Me", "Co", "Cn"})
# Letters and signs whose width depends on their neighbours: parts of Korean syllables and fillers, flags, skin tones.
_JOINING = ((0x115F, 0x11FF), (0x3164, 0x3164), (0xD7B0, 0xD7FF), (0xFFA0, 0xFFA0), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF))
# Most code points that one shown character is made of, in text that is not meant to harm.
_COMPOSED = 4
# How German is written where its letters are missing.
_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "…": "..."})


def clean(s: str, limit: int = 128) -> str:
    r"""Replace what could steer a terminal or hide text by visible `\xNN`, `\uNNNN` or `\UNNNNNNNN`.

    Letters with marks are composed where Unicode has one character for them; other marks are shown as escapes, so that
    every character has a width of its own.

    :param limit: most characters of the result; what is cut off shows as `…`.
    """
    head = s[: _COMPOSED * limit + 1]
    shown = visible(head)
    if len(shown) <= limit and len(head) == len(s):
        return shown
    return shown[: max(limit - 1, 0)] + "…"[:limit]


def visible(s: str) -> str:
    """Return text without a limit as `clean` shows it: the guard of whoever writes lines to a terminal."""
    if s.isascii() and s.isprintable():
        return s
    return "".join(_visible(char) for char in unicodedata.normalize("NFC", s))


def visible_lines(s: str) -> str:
    """Return text of several lines, each as `visible` shows it."""
    return "\n".join(visible(line) for line in s.split("\n"))


def encodable(s: str, encoding: str | None) -> str:
    r"""Return text as a terminal with this encoding can show it, with `ae` for `ä` and `\xNN` for all else that it cannot."""
    name = encoding or "utf-8"
    try:
        s.encode(name)
    except UnicodeEncodeError:
        return s.translate(_SPELT).encode(name, "backslashreplace").decode(name)
    return s


def unsafe(char: str) -> bool:
    """Return whether a character could steer a terminal, hide text or change the width of its neighbours."""
    code = ord(char)
    return unicodedata.category(char) in _UNSAFE or any(first <= code <= last for first, last in _JOINING)


def _visible(char: str) -> str:
    if not unsafe(char):
        return char
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
