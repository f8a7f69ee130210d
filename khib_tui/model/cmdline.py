"""Kernel command lines, taken apart as the kernel does it (lib/cmdline.c, next_arg)."""

from __future__ import annotations

_BLANKS = " \t\n\v\f\r\xa0"
END = "--"
"""What follows belongs to init, not to the kernel."""


def split(line: str) -> list[str]:
    """Return the kernel's parameters just as they are written, quotes included; blanks inside quotes do not split."""
    words: list[str] = []
    word, quoted = "", False
    for letter in [*line, " "]:
        if letter in _BLANKS and not quoted:
            words += [word] if word else []
            word = ""
            continue
        quoted ^= letter == '"'
        word += letter
    # A quote that is never closed reaches to the end.
    words += [word.rstrip(_BLANKS)] if word.strip(_BLANKS) else []
    return words[: words.index(END)] if END in words else words


def parameter(word: str) -> tuple[str, str | None]:
    """Return a parameter's name and value without their quotes; the value is None where there is no `=`.

    Names are spelled with `_`: the kernel takes `-` for the same.
    """
    inner = word[1:].removesuffix('"') if word.startswith('"') else word
    name, equals, value = inner.partition("=")
    if value.startswith('"'):
        value = value[1:].removesuffix('"')
    return name.replace("-", "_"), value if equals else None


def value(line: str, name: str) -> str | None:
    """Return the value of the last parameter of this name (spelled with `_`); None if it is not there or has none."""
    found = [text for key, text in map(parameter, split(line)) if key == name]
    return found[-1] if found else None
