"""The few system calls that Python has no function for: kexec_load, reboot, syncfs, and fallocate as the kernel has it."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence
from typing import NamedTuple

from khib_tui.errors import CommandFailed
from khib_tui.i18n import _
from khib_tui.model.limits import KEXEC_SEGMENT_MAX

SYS_REBOOT = 169
SYS_KEXEC_LOAD = 246
SYS_FALLOCATE = 285
SYS_FINIT_MODULE = 313
KEXEC_PRESERVE_CONTEXT = 0x2
KEXEC_ARCH_X86_64 = 62 << 16
REBOOT_MAGIC1 = 0xFEE1DEAD
REBOOT_MAGIC2 = 672274793
REBOOT_KEXEC = 0x45584543
REBOOT_POWER_OFF = 0x4321FEDC
REBOOT_RESTART = 0x1234567
_MNT_DETACH = 2
REBOOT_CAD_OFF = 0  # Ctrl-Alt-Del only sends a signal to PID 1

_libc = ctypes.CDLL(None, use_errno=True)


class _KexecSegment(ctypes.Structure):
    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("bufsz", ctypes.c_size_t),
        ("mem", ctypes.c_void_p),
        ("memsz", ctypes.c_size_t),
    )


class KexecSegment(NamedTuple):
    """Physical pages `[start, end)` that kexec swaps; `data` goes to their beginning, the rest is zero.

    `data` is any readable buffer, taken without a copy; an empty one means the pages are only swapped.
    """

    name: str
    start: int
    end: int
    data: bytes | bytearray | memoryview = b""


def _call(number: int, *args: object) -> int:
    ctypes.set_errno(0)
    return int(_libc.syscall(ctypes.c_long(number), *args))


def _address(data: bytes | bytearray | memoryview) -> tuple[object, int]:
    """Return something that keeps the buffer alive, and its address."""
    if isinstance(data, bytes):
        holder = ctypes.c_char_p(data)
        return (holder, data), ctypes.cast(holder, ctypes.c_void_p).value or 0
    view = memoryview(data)
    array = (ctypes.c_char * view.nbytes).from_buffer(view)
    return array, ctypes.addressof(array)


def kexec_load(entry: int, segments: Sequence[KexecSegment], *, preserve_context: bool) -> None:
    """Load an image for the next kexec.

    :param entry: physical address that is entered.
    :raises CommandFailed: the kernel refuses; its errno is in the text.
    """
    if len(segments) > KEXEC_SEGMENT_MAX:
        raise CommandFailed(
            _("{count} segments: the kernel takes {most}").format(count=len(segments), most=KEXEC_SEGMENT_MAX),
            ident="HIB-E-SEGMENTS",
        )
    array = (_KexecSegment * max(len(segments), 1))()
    alive = []
    for slot, segment in zip(array, segments, strict=False):
        slot.mem, slot.memsz = segment.start, segment.end - segment.start
        if len(segment.data):
            holder, address = _address(segment.data)
            alive.append(holder)
            slot.buf, slot.bufsz = address, len(segment.data)
    flags = KEXEC_ARCH_X86_64 | (KEXEC_PRESERVE_CONTEXT if preserve_context else 0)
    if _call(SYS_KEXEC_LOAD, ctypes.c_ulong(entry), ctypes.c_ulong(len(segments)), array, ctypes.c_ulong(flags)):
        code = ctypes.get_errno()
        raise CommandFailed(
            _("the kernel refuses to load the jump: {strerror}").format(strerror=os.strerror(code)), ident="HIB-E-KEXEC-LOAD"
        )


def kexec_unload() -> None:
    """Forget the loaded image and give its memory back."""
    kexec_load(0, (), preserve_context=False)


def reboot(command: int) -> None:
    """Call reboot(2). With a preserved context loaded, `REBOOT_KEXEC` returns here after the way back.

    :raises CommandFailed: the kernel could not do it; the system goes on.
    """
    magic = (ctypes.c_uint(REBOOT_MAGIC1), ctypes.c_uint(REBOOT_MAGIC2))
    if _call(SYS_REBOOT, *magic, ctypes.c_uint(command), None):
        code = ctypes.get_errno()
        raise CommandFailed(_("the kernel could not jump: {strerror}").format(strerror=os.strerror(code)), ident="HIB-E-JUMP")


def syncfs(path: str) -> None:
    """Write back the filesystem that `path` lies on.

    :raises OSError: something could not be written.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        ctypes.set_errno(0)
        if _libc.syncfs(fd):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
    finally:
        os.close(fd)


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Mount a filesystem.

    :raises OSError: as the kernel says.
    """
    ctypes.set_errno(0)
    if _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def umount(target: str) -> None:
    """Unmount a filesystem.

    :raises OSError: as the kernel says.
    """
    ctypes.set_errno(0)
    if _libc.umount2(target.encode(), 0):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def detach(target: str) -> None:
    """Unmount a filesystem, at the latest when nobody uses it any more: its server may be gone.

    :raises OSError: as the kernel says.
    """
    ctypes.set_errno(0)
    if _libc.umount2(target.encode(), _MNT_DETACH):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def load_module(path: str) -> None:
    """Load a kernel module; one that is there already is fine.

    :raises OSError: as the kernel says.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _call(SYS_FINIT_MODULE, ctypes.c_int(fd), ctypes.c_char_p(b""), ctypes.c_int(0)):
            code = ctypes.get_errno()
            if code != errno.EEXIST:
                raise OSError(code, os.strerror(code), path)
    finally:
        os.close(fd)


def fallocate(fd: int, size: int) -> None:
    """Give a file all its room at once, without writing to it; posix_fallocate(3) writes zeros where that cannot be done.

    :raises OSError: there is not so much room, or the filesystem cannot do that.
    """
    if _call(SYS_FALLOCATE, ctypes.c_int(fd), ctypes.c_int(0), ctypes.c_long(0), ctypes.c_long(size)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
