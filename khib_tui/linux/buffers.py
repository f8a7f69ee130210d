"""Memory by address: page-aligned buffers, and copying without the interpreter lock, so that threads copy side by side."""

from __future__ import annotations

import ctypes
import mmap

_SIMPLE = 0  # PyBUF_SIMPLE
# Below this the way around the lock costs more than it gives.
_WORTH_IT = 64 * 1024


class _View(ctypes.Structure):
    """Py_buffer (Include/cpython/object.h)."""

    _fields_ = (
        ("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    )  # fmt: skip


_get = ctypes.pythonapi.PyObject_GetBuffer
_get.argtypes = (ctypes.py_object, ctypes.POINTER(_View), ctypes.c_int)
_release = ctypes.pythonapi.PyBuffer_Release
_release.argtypes = (ctypes.POINTER(_View),)
_release.restype = None

_memory = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_move_locked = ctypes.pythonapi.memmove
_move = ctypes.CDLL(None).memmove
_set = ctypes.CDLL(None).memset
_move_locked.argtypes = _move.argtypes = _memory
_set.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
_move_locked.restype = _move.restype = _set.restype = None


def address_of(data: bytes | bytearray | memoryview | mmap.mmap) -> int:
    """Return the address of a contiguous buffer; it is good as long as the buffer is neither freed, resized nor closed."""
    view = _View()
    _get(data, ctypes.byref(view), _SIMPLE)
    try:
        return view.buf or 0
    finally:
        _release(ctypes.byref(view))


def move(to: int, start: int, count: int) -> None:
    """Copy bytes from address to address. Both must be the caller's: nothing checks them."""
    (_move if count >= _WORTH_IT else _move_locked)(to, start, count)


def clear(to: int, count: int) -> None:
    """Make bytes at an address zero, which must be the caller's."""
    _set(to, 0, count)


class Buffer:
    """Memory of `size` bytes, a multiple of the page size, at a page's start: what direct I/O wants."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.mapped = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.view = memoryview(self.mapped)
        self.address = address_of(self.mapped)

    def put(self, at: int, data: bytes | memoryview) -> None:
        """Copy `data` to offset `at`.

        :raises ValueError: it does not fit.
        """
        if at < 0 or at + len(data) > self.size:
            raise ValueError(f"{len(data)} bytes do not fit at {at} into {self.size}")
        move(self.address + at, address_of(data), len(data))
