"""Work in a process of its own, so that whatever ends it ends nothing else: an exception, a signal, too little memory."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from khib_tui.i18n import _

# Bytes that the process leaves to its parent and to the kernel.
_LEFT = 8 << 20
# Bytes of each thread's stack; usual are 8 MiB, which count although they are not used.
_STACK = 1 << 20
_MOST_LIKELY = "1000"


def apart(work: Callable[[], None], untouched: int = 0) -> int:
    """Do some work in a child, and wait for its end.

    The child gets a limit on its own memory, so that it finds out itself when there is no more; if the kernel has to
    end a process for want of memory, it is the child.

    :param untouched: bytes that count and are never touched, which the limit leaves room for: libraries, stacks, heaps.
    :returns: its wait status, as `os.waitpid` gives it.
    :raises OSError: there can be no child.
    """
    gc.freeze()
    child = os.fork()
    if child == 0:
        _run(work, untouched)
    return wait(child)


def wait(child: int) -> int:
    """Wait for the end of a child, and of every other that this process inherited meanwhile; return its wait status."""
    while True:
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return os.EX_OSERR << 8
        if ended == child:
            return status


def _run(work: Callable[[], None], untouched: int) -> None:
    code = os.EX_SOFTWARE
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _limit_memory(untouched)
        work()
        code = os.EX_OK
    except BaseException as error:
        with suppress(BaseException):
            print(f"khib: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
        os._exit(code)


def _limit_memory(untouched: int) -> None:
    """Set the limit, if the kernel tells how much there is."""
    threading.stack_size(_STACK)
    with suppress(OSError, ValueError, KeyError):
        Path("/proc/self/oom_score_adj").write_text(_MOST_LIKELY)
        free = _field("/proc/meminfo", "MemAvailable") - _LEFT
        limit = _field("/proc/self/status", "VmData") + max(free, _LEFT) + untouched
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _field(path: str, name: str) -> int:
    """Read a figure in kB of a file of lines `NAME: FIGURE kB`, in bytes."""
    fields = dict(line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)
    return int(fields[name].split()[0]) << 10


def said(status: int) -> str:
    """Say how a child ended."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return _("it ended with code {code}").format(code=code)
    with suppress(ValueError):
        return _("it was ended by {name}").format(name=signal.Signals(-code).name)
    return _("it was ended by signal {number}").format(number=-code)
