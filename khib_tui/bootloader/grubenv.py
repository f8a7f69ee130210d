"""GRUB's environment block: 1024 bytes in which it keeps variables from one start to the next."""

from __future__ import annotations

SIZE = 1024
HEADER = b"# GRUB Environment Block\n"
NEXT = "next_entry"
"""The variable that names the entry of the next start alone: grub.cfg empties it before it starts that entry."""


def lines(block: bytes) -> list[bytes] | None:
    """Return the variables of a block as lines; None if it is no such block."""
    if len(block) != SIZE or not block.startswith(HEADER):
        return None
    found = block.removeprefix(HEADER).split(b"\n")
    return [line for line in found[:-1] if line.strip(b"#")] if not found[-1].strip(b"#") else None


def value(block: bytes, name: str = NEXT) -> str | None:
    """Return the value of a variable; None if it has none."""
    start = f"{name}=".encode()
    found = [line.removeprefix(start) for line in lines(block) or [] if line.startswith(start)]
    return found[-1].decode(errors="replace") if found else None


def changed(block: bytes, text: str | None, name: str = NEXT) -> bytes:
    """Return the block with a variable set; None takes it out.

    :raises ValueError: it is no such block, or full.
    """
    kept = lines(block)
    if kept is None:
        raise ValueError("it is no environment block of GRUB")
    start = f"{name}=".encode()
    kept = [line for line in kept if not line.startswith(start)]
    kept += [] if text is None else [start + text.encode()]
    made = HEADER + b"".join(line + b"\n" for line in kept)
    if len(made) > SIZE:
        raise ValueError("GRUB's environment block is full")
    return made.ljust(SIZE, b"#")
