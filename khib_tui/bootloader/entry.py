"""The kernel parameters of B and C, and C's entry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from khib_tui.bootloader.bls import BootEntry
from khib_tui.bootloader.carried import carried_words
from khib_tui.errors import Refused
from khib_tui.handover.cmdline import Words
from khib_tui.i18n import _, language
from khib_tui.model.boot import Folder
from khib_tui.model.cmdline import split
from khib_tui.model.settings import Settings

# Linux takes 2047; boot loaders put words of their own before them.
OPTIONS_MAX = 1900
TITLE = "Resume the hibernated system (khib)"
# What B and C must not do, and must not spend their little memory on; docs/architecture.md has the reasons.
MEMORY_WORDS = ("acpi_no_memhotplug", "numa=off", "swiotlb=2048", "rootfstype=ramfs", "cma=0", "hest_disable")

# A kernel with md built in would start arrays of format 0.90, which writes to them.
NO_ARRAYS = "raid=noautodetect"


def common_words(cmdline: str, settings: Settings) -> list[str]:
    """Return the kernel parameters of both B and C.

    `iomem=relaxed`: the kernel takes a reserved range that begins below 1 MiB for busy, and A's RAM from 1 MiB on joins it.
    """
    fixed = ("nokaslr", "iomem=relaxed", "rdinit=/init", "random.trust_cpu=on", "panic=30", "loglevel=4", *MEMORY_WORDS)
    return [*carried_words(cmdline), *fixed, NO_ARRAYS, *split(settings.options)]


def saver_words(cmdline: str, settings: Settings) -> list[str]:
    """Return the kernel parameters of B."""
    return [*common_words(cmdline, settings), *Words(plain=settings.plain, lang=spoken(settings)).format()]


def spoken(settings: Settings) -> str:
    """Return the language of B and C: the user's; English where programs are told what happens there."""
    return "" if settings.events else language()


# C must not move the firmware's runtime services to addresses of its own: A goes on with A's (arch/x86/platform/efi).
RESTORER_WORDS = ("efi=noruntime",)


def restore_entry(
    cmdline: str, settings: Settings, folder: Folder, memmap: Sequence[str], image: str, kernel: Path, *,
    sealed: bool = False,
) -> BootEntry:  # fmt: skip
    """Make C's entry.

    :param folder: which kernel and initramfs lie below, as the boot loader sees it.
    :param memmap: the words that keep C inside the region.
    :param image: the word that names a file image, or empty.
    :param sealed: C refuses images that are not sealed.
    :raises Refused: HIB-E-CMDLINE, it is too long: the boot loader or C's kernel would drop words from its end.
    """
    ours = Words(
        image=image, events=settings.events, plain=settings.plain, countdown=settings.countdown, sealed=sealed,
        lang=spoken(settings),
    )  # fmt: skip
    words = [*memmap, *common_words(cmdline, settings), *RESTORER_WORDS, *ours.format()]
    options = " ".join(words)
    if len(options) > OPTIONS_MAX:
        raise Refused(
            _("the restorer's kernel parameters have {count} characters, {most} are sure to arrive").format(
                count=len(options), most=OPTIONS_MAX
            ),
            hint=_("boot this system with fewer parameters, or without memmap= words for single pages"),
            ident="HIB-E-CMDLINE",
        )
    initrds = tuple(map(folder.seen, (settings.initramfs, settings.kernel_archive)))
    return BootEntry(TITLE, folder.seen(kernel), initrds, options)
