"""Keeping secrets in this process: no file that a crash leaves may hold them."""

from __future__ import annotations

import ctypes
import resource
from functools import cache

_PR_SET_DUMPABLE = 4


@cache
def keep_secrets() -> None:
    """Leave no core dump of this process from now on, and let no other user's program look into it.

    Called before a passphrase is read or a key is made; programs that are started leave none either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0)
