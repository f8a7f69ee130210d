r"""How people name a device: `/dev/...` with udev's links, or UUID=, LABEL=, PARTUUID=, PARTLABEL= as mount(8) takes them.

A name with `=` becomes udev's link of the same meaning, so that only `/dev/...` is kept. udev's links spell what is unsafe
in a file name as `\xNN`; they are looked up in the facts, so that they work without udev and for another machine too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from khib_tui.model.identity import only
from khib_tui.model.machine import BlockDevice
from khib_tui.model.text import clean

# Patterns are compiled where they are used: B and C, which need few of them, would pay for all.
# udev leaves these and all that is not ASCII, and writes the others as \xNN.
_PLAIN = r"[A-Za-z0-9#+.:=@_~,%-]"
_LINK = rf"/dev/disk/by-[a-z-]+/({_PLAIN}|\\x[0-9A-Fa-f]{{2}}|[^\x00-\x7f])+"
_NODE = r"/dev(/[A-Za-z0-9_@+.#=,~-]+)+"
_TAG = r"(?s:(UUID|LABEL|PARTUUID|PARTLABEL)=(?:\"([^\"]+)\"|'([^']+)'|([^\"':].*?))(?=:/|$))"
_TAGGED = r"/dev/disk/by-(uuid|label|partuuid|partlabel)/(.+)"
_HEX = r"((?:\\x[0-9A-Fa-f]{2})+)"


def split(text: str) -> tuple[str, str]:
    """Part what was typed into the device, as `/dev/...`, and the rest from `:/` on; both are not judged yet."""
    match = re.match(_TAG, text)
    if match is None:
        device, colon, rest = text.partition(":/")
        return device, f"/{rest}" if colon else ""
    kind, value = match[1].lower(), match[2] or match[3] or match[4] or ""
    return f"/dev/disk/by-{kind}/{_encoded(value)}", text[match.end() :].removeprefix(":")


def is_device(text: str) -> bool:
    """Return whether text is the name of a device node or of a link to one, without anything that hides or leads away."""
    return bool(re.fullmatch(_NODE, text) or re.fullmatch(_LINK, text)) and text == clean(text, 512)


def node_of(device: str, devices: Sequence[BlockDevice]) -> str:
    """Return the name that facts use for a device, whichever way it is named; itself if it is none of theirs.

    :raises Refused: HIB-E-TARGET-DUPLICATE, several have that label or UUID.
    """
    match = re.fullmatch(_TAGGED, device)
    found = [item for item in devices if match and _is(item, match[1], _decoded(match[2]))]
    if found:
        return only(found, device).path
    node = os.path.realpath(device)
    return node if node.startswith("/dev/") else device


def _is(device: BlockDevice, kind: str, value: str) -> bool:
    if kind in ("uuid", "partuuid"):
        own = device.uuid if kind == "uuid" else device.partuuid
        return own.casefold() == value.casefold() != ""
    return (device.label if kind == "label" else device.partlabel) == clean(value) != ""


def _encoded(value: str) -> str:
    """Spell a label as udev does."""
    safe = re.compile(rf"{_PLAIN}|[^\x00-\x7f]")
    return "".join(char if safe.fullmatch(char) else f"\\x{ord(char):02x}" for char in value)


def _decoded(name: str) -> str:
    """Read what udev spelled; bytes that are no UTF-8 stay visible."""
    return re.sub(_HEX, lambda match: bytes.fromhex(match[1].replace("\\x", "")).decode(errors="replace"), name)
