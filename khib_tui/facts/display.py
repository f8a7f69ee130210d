"""What draws on this machine's screen, and what another kernel needs to draw on it too."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from khib_tui.facts.kmod import Index
from khib_tui.facts.read import text
from khib_tui.model.machine import Display, KernelFile

# They draw into the framebuffer that the firmware has set up, as any kernel can.
_FIRMWARES = frozenset({"simple-framebuffer", "simpledrm", "efidrm", "vesadrm", "ofdrm", "sysfb"})
_CARD = re.compile(r"card\d+")
_FILE = re.compile(r"\b(?:i915|xe|amdgpu|radeon|nouveau|nvidia|vmwgfx|qcom)/[\w.+/-]+\.(?:bin|fw)\b")
# What xz and zstd make of modules, at most: amdgpu is 4.5 MB in a file and 32 MiB in memory.
_SQUEEZED = 7
_RACES = 100


def read_display(root: Path) -> Display:
    """Return what the running kernel drives the screen with; without a driver of its own, nothing."""
    for card in sorted((root / "sys/class/drm").glob("card*")):
        if not _CARD.fullmatch(card.name):
            continue
        link = card / "device/driver"
        driver = link.resolve().name if link.exists() else ""
        if driver and driver not in _FIRMWARES:
            loaded = link / "module"
            module = loaded.resolve().name if loaded.exists() else driver.replace("-", "_")
            return Display(module, text(card / "device/modalias", 4096), tuple(_firmware(root)))
    return Display()


def with_display(kernels: tuple[KernelFile, ...], display: Display, root: Path) -> tuple[KernelFile, ...]:
    """Return kernels with what each takes to drive the screen."""
    if not display.module:
        return kernels
    return tuple(
        msgspec.structs.replace(item, display_bytes=driver_bytes(display, root / "lib/modules" / item.release, root))
        for item in kernels
    )


def driver_bytes(display: Display, modules: Path, root: Path = Path("/")) -> int:
    """Return the memory that its driver of another kernel takes with all it needs, at most; 0 if there is none.

    :param modules: that kernel's `lib/modules/RELEASE`.
    """
    if not display.module:
        return 0
    index = Index(modules)
    files = index.closure(names(display, index))
    if not files:
        return 0
    total = 0
    for path in (*files, *firmware_files(display, root)):
        with suppress(OSError):
            total += path.stat().st_size * (1 if path.suffix in (".ko", ".bin", ".fw") else _SQUEEZED)
    return total


def names(display: Display, index: Index) -> list[str]:
    """Return what another kernel calls the driver of the screen."""
    if display.module in index.needs:
        return [display.module]
    return index.drivers([display.modalias]) if display.modalias else []


def firmware_files(display: Display, root: Path = Path("/")) -> list[Path]:
    """Return the firmware that the running kernel has given to the screen's device, as far as it is known."""
    tops = [root / "lib/firmware/updates", root / "lib/firmware"]
    found = []
    for name in display.firmware:
        places = [top / f"{name}{suffix}" for top in tops for suffix in ("", ".xz", ".zst")]
        found += [path for path in places if path.is_file()][:1]
    return found


def _firmware(root: Path) -> Iterator[str]:
    """Yield the names that the kernel's log has of such files; nothing else keeps them."""
    seen = dict.fromkeys(_FILE.findall(_log(root / "dev/kmsg")))
    yield from (name for name in seen if ".." not in name)


def _log(path: Path) -> str:
    """Return the kernel's log as far as it is still kept; it is read record by record, without waiting for the next."""
    records: list[bytes] = []
    try:
        log = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        while record := _record(log):
            records.append(record)
    finally:
        os.close(log)
    return b"".join(records).decode(errors="replace")


def _record(log: int) -> bytes:
    """Return the next record, empty behind the last; those that were overwritten meanwhile are left out."""
    for _ in range(_RACES):
        try:
            return os.read(log, 8192)
        except BrokenPipeError:
            continue
        except OSError:
            break
    return b""
