"""The kernel parameters of B and C, and C's entry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from khib_tui.bootloader.bls import BootEntry
from khib_tui.handover.cmdline import Words
from khib_tui.model.settings import Settings


def console_words(cmdline: str) -> list[str]:
    """Return the words of A's command line that say where the console is, for B and C to use the same."""
    kept = ("console=", "earlyprintk=", "vga=", "video=", "nomodeset", "noapic", "nolapic", "acpi=", "pci=", "no5lvl")
    return [word for word in cmdline.split() if word.startswith(kept)]


# What B and C must not do, and must not spend their little memory on; docs/architecture.md has the reasons.
MEMORY_WORDS = ("acpi_no_memhotplug", "numa=off", "swiotlb=2048", "rootfstype=ramfs", "cma=0", "hest_disable")


def common_words(cmdline: str, settings: Settings) -> list[str]:
    """Return the kernel parameters of both B and C.

    `iomem=relaxed`: the kernel takes a reserved range that begins below 1 MiB for busy, and A's RAM from 1 MiB on joins it.
    """
    fixed = ("nokaslr", "iomem=relaxed", "rdinit=/init", "random.trust_cpu=on", "panic=30", "loglevel=4", *MEMORY_WORDS)
    return [*console_words(cmdline), *fixed, *settings.options.split()]


def saver_words(cmdline: str, settings: Settings) -> list[str]:
    """Return the kernel parameters of B."""
    return [*common_words(cmdline, settings), *Words(plain=settings.plain).format()]


def restore_entry(
    cmdline: str, settings: Settings, memmap: Sequence[str], image: str, kernel: Path, *, sealed: bool = False
) -> BootEntry:
    """Make C's entry.

    :param memmap: the words that keep C inside the region.
    :param image: the word that names a file image, or empty.
    :param sealed: C refuses images that are not sealed.
    """
    ours = Words(
        image=image, events=settings.events, plain=settings.plain, countdown=settings.countdown, sealed=sealed,
    )  # fmt: skip
    words = [*common_words(cmdline, settings), *memmap, *ours.format()]
    boot = Path(settings.boot_dir)
    return BootEntry(
        "Resume the hibernated system (khib)", f"/{kernel.relative_to(boot)}", f"/{settings.initramfs.relative_to(boot)}",
        " ".join(words),
    )  # fmt: skip
