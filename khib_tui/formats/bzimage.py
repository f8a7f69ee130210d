"""The setup header of an x86 bzImage (Documentation/arch/x86/boot.rst); offsets and sizes are bytes."""

from __future__ import annotations

import struct
from pathlib import Path

from msgspec import Struct

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.model.text import clean

SETUP_SECTS = 0x1F1
SYSSIZE = 0x1F4
BOOT_FLAG = 0x1FE
HEADER_END = 0x201
HEADER_BASE = 0x202
MAGIC = 0x202
VERSION = 0x206
KERNEL_VERSION = 0x20E
LOADFLAGS = 0x211
KERNEL_ALIGNMENT = 0x230
RELOCATABLE_KERNEL = 0x234
XLOADFLAGS = 0x236
CMDLINE_SIZE = 0x238
PREF_ADDRESS = 0x258
INIT_SIZE = 0x260
# Where struct boot_params goes on after its setup header.
HEADER_END_MAX = 0x290

BOOT_FLAG_VALUE = 0xAA55
MAGIC_VALUE = b"HdrS"
SECTOR = 512
DEFAULT_SETUP_SECTS = 4
PARAGRAPH = 16
KERNEL_VERSION_BASE = 0x200
KERNEL_VERSION_MAX = 256
# The first protocol with xloadflags; it has all the fields above.
MIN_PROTOCOL = 0x020C
LOADED_HIGH = 1 << 0
XLF_KERNEL_64 = 1 << 0
_SETUP_MAX = 256 * SECTOR


class BzImage(Struct, frozen=True):
    """A bzImage's setup header. Sizes and addresses are bytes.

    `setup_header` are the bytes to copy into boot_params at 0x1f1. The protected-mode kernel lies in the file at
    `payload_offset`. `protocol` is 0x020f for 2.15, `banner` the whole version string, `release` its first word.
    """

    path: Path
    setup_header: bytes
    payload_offset: int
    payload_size: int
    protocol: int
    banner: str
    init_size: int
    pref_address: int
    kernel_alignment: int
    relocatable: bool
    xloadflags: int
    cmdline_size: int

    @property
    def release(self) -> str:
        """The kernel's release, as `uname -r` gives it."""
        return self.banner.partition(" ")[0]

    @property
    def kernel_64(self) -> bool:
        """Whether it has the 64-bit entry point at 0x200."""
        return bool(self.xloadflags & XLF_KERNEL_64)


def read(path: Path) -> BzImage:
    """Read the setup header of a kernel file.

    :raises Refused: HIB-E-BZIMAGE, the file cannot be read or is no whole bzImage of protocol 2.12 or newer.
    """
    try:
        with path.open("rb") as stream:
            setup = stream.read(_SETUP_MAX)
            size = stream.seek(0, 2)
    except OSError as error:
        raise _refused(path, _("it cannot be read ({strerror})").format(strerror=error.strerror)) from error
    return parse(path, setup, size)


def parse(path: Path, setup: bytes, size: int) -> BzImage:
    """Make a BzImage of a file's first bytes.

    :param setup: at least its real-mode part, 128 KiB are always enough.
    :param size: bytes in the whole file.
    :raises Refused: HIB-E-BZIMAGE, as `read`.
    """
    _refuse_foreign(path, setup)
    header_end = HEADER_BASE + setup[HEADER_END]
    offset = ((setup[SETUP_SECTS] or DEFAULT_SETUP_SECTS) + 1) * SECTOR
    protected = _u32(setup, SYSSIZE) * PARAGRAPH
    # The build rounds up to whole paragraphs; a signature may follow.
    if header_end < INIT_SIZE + 4 or not protected or size - offset <= protected - PARAGRAPH:
        raise _refused(path, _("it is cut off"))
    init_size = _u32(setup, INIT_SIZE)
    if init_size < protected or header_end > HEADER_END_MAX:
        raise _refused(path, _("its header contradicts itself"))
    return BzImage(
        path=path,
        setup_header=setup[SETUP_SECTS:header_end],
        payload_offset=offset,
        payload_size=min(size - offset, protected),
        protocol=_u16(setup, VERSION),
        banner=_banner(setup[:offset]),
        init_size=init_size,
        pref_address=int(struct.unpack_from("<Q", setup, PREF_ADDRESS)[0]),
        kernel_alignment=_u32(setup, KERNEL_ALIGNMENT),
        relocatable=bool(setup[RELOCATABLE_KERNEL]),
        xloadflags=_u16(setup, XLOADFLAGS),
        cmdline_size=_u32(setup, CMDLINE_SIZE),
    )


def _refuse_foreign(path: Path, setup: bytes) -> None:
    if len(setup) < INIT_SIZE + 4 or setup[MAGIC : MAGIC + 4] != MAGIC_VALUE or _u16(setup, BOOT_FLAG) != BOOT_FLAG_VALUE:
        raise _refused(path, _("not a bzImage"))
    if _u16(setup, VERSION) < MIN_PROTOCOL or not setup[LOADFLAGS] & LOADED_HIGH:
        raise _refused(path, _("its boot protocol is older than 2.12"))


def _refused(path: Path, why: str) -> Refused:
    return Refused(
        _("{path} is not a kernel that can be used: {why}").format(path=path, why=why), ident="HIB-E-BZIMAGE",
        hint=_("choose a kernel such as /boot/vmlinuz-..."),
    )  # fmt: skip


def _u16(setup: bytes, offset: int) -> int:
    return int(struct.unpack_from("<H", setup, offset)[0])


def _u32(setup: bytes, offset: int) -> int:
    return int(struct.unpack_from("<I", setup, offset)[0])


def _banner(setup: bytes) -> str:
    pointer = _u16(setup, KERNEL_VERSION)
    if not pointer:
        return ""
    start = pointer + KERNEL_VERSION_BASE
    raw = setup[start : start + KERNEL_VERSION_MAX].partition(b"\0")[0]
    return clean(raw.decode(errors="replace"), KERNEL_VERSION_MAX)
