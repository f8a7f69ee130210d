"""How A's initramfs makes the next start C's, without Python: one EFI variable, where the loader or the firmware reads one."""

from __future__ import annotations

from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, Loader, LoaderKind

# non-volatile, for boot services and at run time
_ATTRIBUTES = b"\7\0\0\0"


def next_boot(loader: Loader) -> str:
    """Return the shell commands, '' where GRUB reads the image's mark itself, or where only a person can choose C."""
    match loader.kind:
        case LoaderKind.SYSTEMD_BOOT:
            return _setting(f"LoaderEntryOneShot-{LOADER_GUID}", (loader.entry.name + "\0").encode("utf-16-le"))
        case LoaderKind.EFI:
            return _setting(f"BootNext-{FIRMWARE_GUID}", int(loader.entry.name[4:8], 16).to_bytes(2, "little"))
    return ""


def _setting(name: str, value: bytes) -> str:
    """Return commands that write a variable at once, as efivarfs wants it; printf knows bytes as octal numbers."""
    octal = "".join(f"\\{byte:03o}" for byte in _ATTRIBUTES + value)
    return f"""#!/bin/sh
# Written by khib: the guard lets the next start be the restorer's.
vars=${{1:-/sys/firmware/efi/efivars}}
[ -d "$vars" ] || exit 1
modprobe efivarfs 2>/dev/null
[ -n "$1" ] || mount -t efivarfs efivarfs "$vars" 2>/dev/null
printf '{octal}' >"$vars/{name}"
"""
