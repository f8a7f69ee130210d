"""Seals and sealed images in files, and a terminal on which somebody types."""

from __future__ import annotations

import os
import pty
import sys
import time
from collections.abc import Callable
from pathlib import Path

from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.units import MIB
from khib_tui.seal import crypto
from khib_tui.seal import unlock as sealing
from khib_tui.seal.keyslots import Cipher
from khib_tui.target.catalog import Found
from tests.kit.saved import empty, handover, save

PASSPHRASE = "a good passphrase"
WHERE = "/dev/vdb1"


def sealed_image(directory: Path) -> tuple[Found, Path]:
    """Make a sealed image in a file."""
    made, _ = crypto.create(PASSPHRASE, Cipher.CHACHA)
    physical, path = directory / "mem", empty(directory / "image", 40 * MIB)
    physical.write_bytes(b"khib" * (6 * MIB))
    given = handover(seal=made, key=sealing.unlock(made, PASSPHRASE).image_key("ab" * 16))
    return Found(TargetRef(DeviceKey("d", 1, 1, "s")), WHERE, save(physical, path, given)), path


def on_terminal(work: Callable[[], object], lines: list[str]) -> str:
    """Do the work in a process with a terminal of its own; type a line at each prompt; gives all that was shown."""
    child, fd = pty.fork()
    if child == 0:
        try:
            sys.stdin = os.fdopen(0, closefd=False)
            sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, closefd=False)
            print(f"gave {work()}")
        except BaseException as error:
            print(f"raised {getattr(error, 'ident', '')} {error!r}")
        finally:
            sys.stdout.flush()
            os._exit(0)
    shown, asked = "", 0
    waiting = list(lines)
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data.decode()
        while shown.count(": ") - shown.count("raised") > asked and waiting and shown.endswith(": "):
            asked = shown.count(": ")
            time.sleep(0.05)
            os.write(fd, waiting.pop(0).encode() + b"\n")
    os.waitpid(child, 0)
    os.close(fd)
    return shown
