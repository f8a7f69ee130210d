"""How each boot loader keeps C's entry: what its file becomes, how it reads it, and what is left without it."""

from __future__ import annotations

from khib_tui.bootloader import efi, grub
from khib_tui.bootloader.bls import BootEntry
from khib_tui.model.boot import Loader, LoaderKind

# GRUB makes commands of its own from an entry of the specification, in which these mean something and nothing quotes them.
_GRUB_EXPANDS = frozenset("$\\';{}&|<>")


def content(loader: Loader, entry: BootEntry, old: bytes, *, setup_id: str = "", partition: str = "", first: int = 0) -> bytes:
    """Return what the loader's file, or variable, becomes.

    :param old: what it has now, b'' if it is not there.
    :param partition: the image's place as GRUB spells it, '' if GRUB cannot look at it; it begins at the sector `first`.
    """
    match loader.kind:
        case LoaderKind.GRUB:
            lines = grub.block(entry, loader.folder, setup_id=setup_id, partition=partition, first=first)
            return grub.with_block(_text(old), lines).encode(errors="surrogateescape")
        case LoaderKind.EFI:
            assert loader.esp is not None
            return efi.load_option(entry, loader.esp)
    return entry.text().encode()


def parse(loader: Loader, data: bytes) -> BootEntry | None:
    """Read C's entry as the loader would; None if it has none."""
    match loader.kind:
        case LoaderKind.GRUB:
            return grub.parse(_text(data))
        case LoaderKind.EFI:
            return efi.parse(data)
    entry = BootEntry.parse(_text(data))
    spoilt = loader.kind is LoaderKind.GRUB_BLS and any(char in _GRUB_EXPANDS for char in entry.options)
    return entry if entry.linux and not spoilt else None


def without(loader: Loader, old: bytes) -> bytes:
    """Return what is left without C's entry; b'': the file, or variable, goes away."""
    return grub.without_block(_text(old)).encode(errors="surrogateescape") if loader.kind is LoaderKind.GRUB else b""


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def says(found: BootEntry | None, wanted: BootEntry) -> bool:
    """Return whether what a loader reads is what was meant; some give the kernel quotes of their own."""
    return found is not None and _bare(found) == _bare(wanted)


def _bare(entry: BootEntry) -> tuple[object, ...]:
    return entry.title, entry.linux, entry.initrds, entry.options.replace('"', "").split()
