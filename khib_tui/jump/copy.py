"""Copying between buffers without holding the interpreter lock, so that threads copy side by side."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

_WRITABLE = 1  # PyBUF_WRITABLE
# Below this the way around the lock costs more than it gives.
_WORTH_IT = 64 * 1024


class _Buffer(ctypes.Structure):
    """Py_buffer (Include/cpython/object.h)."""

    _fields_ = (
        ("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    )  # fmt: skip


_get = ctypes.pythonapi.PyObject_GetBuffer
_get.argtypes = (ctypes.py_object, ctypes.POINTER(_Buffer), ctypes.c_int)
_release = ctypes.pythonapi.PyBuffer_Release
_release.argtypes = (ctypes.POINTER(_Buffer),)
_release.restype = None


@contextmanager
def _held(data: memoryview | mmap.mmap, flags: int) -> Iterator[tuple[int, int]]:
    """Give address and size of a contiguous buffer, which stays where it is for the time of a `with`."""
    buffer = _Buffer()
    _get(data, ctypes.byref(buffer), flags)
    try:
        yield buffer.buf or 0, buffer.len
    finally:
        _release(ctypes.byref(buffer))


def copy(target: memoryview | mmap.mmap, at: int, data: memoryview) -> None:
    """Copy `data` into `target` from byte `at` on.

    :raises ValueError: it does not fit.
    """
    if at < 0 or at + len(data) > len(target):
        raise ValueError(f"{len(data)} bytes do not fit at {at} into {len(target)}")
    if len(data) < _WORTH_IT:
        target[at : at + len(data)] = data
        return
    with _held(target, _WRITABLE) as (to, _), _held(data, 0) as (start, count):
        ctypes.memmove(to + at, start, count)
