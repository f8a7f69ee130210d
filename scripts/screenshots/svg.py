"""A screen of text with colours, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from urwid.display import AttrSpec

CELL, ROW, EDGE = 8.4, 18, 12
PAPER, INK = "#1c1c1c", "#d0d0d0"
COLOURS = {
    "default": "", "black": "#000000", "white": "#ffffff", "light gray": "#c0c0c0", "dark blue": "#0037a6",
    "dark cyan": "#00a0a0", "dark green": "#4e9a06", "brown": "#c4a000", "light red": "#ef5350", "dark gray": "#808080",
}  # fmt: skip

Runs = Sequence[Sequence[tuple[AttrSpec, str]]]


def draw(rows: Runs, columns: int) -> str:
    """Return the picture."""
    width, height = columns * CELL + 2 * EDGE, len(rows) * ROW + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">',
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">',
    ]
    for number, row in enumerate(rows):
        parts += _row(row, EDGE + number * ROW)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _row(row: Sequence[tuple[AttrSpec, str]], top: float) -> list[str]:
    parts, column = [], 0
    for attribute, text in row:
        left, width = EDGE + column * CELL, len(text) * CELL
        column += len(text)
        if back := COLOURS[attribute.background]:
            parts.append(f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{ROW}" fill="{back}"/>')
        if text.strip():
            parts.append(_text(attribute, text, left, top, width))
    return parts


def _text(attribute: AttrSpec, text: str, left: float, top: float, width: float) -> str:
    ink = COLOURS[attribute.foreground.split(",")[0]] or INK
    more = ' font-weight="bold"' if attribute.bold else ""
    more += ' text-decoration="underline"' if attribute.underline else ""
    fit = f'textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{left:g}" y="{top + ROW - 5:g}" {fit} fill="{ink}"{more}>{escape(text)}</text>'
