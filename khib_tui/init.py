"""PID 1 of B and C: make the machine usable, then run the one command this kernel was started for."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from khib_tui.handover import handover
from khib_tui.handover.cmdline import Words
from khib_tui.linux.printk import quiet_kernel
from khib_tui.linux.syscalls import REBOOT_RESTART, load_module, mount, reboot

_MOUNTS = (
    ("proc", "/proc", "proc"),
    ("sysfs", "/sys", "sysfs"),
    ("devtmpfs", "/dev", "devtmpfs"),
    ("tmpfs", "/run", "tmpfs"),
    ("tmpfs", "/tmp", "tmpfs"),
    ("devpts", "/dev/pts", "devpts"),
    ("efivarfs", "/sys/firmware/efi/efivars", "efivarfs"),
    ("securityfs", "/sys/kernel/security", "securityfs"),
)
_MODULES = Path("/etc/khib/modules")


def main() -> None:
    """Never returns: PID 1 must not end."""
    mount_all()
    words = Words.read()
    load_modules()
    set_terminal(words)
    from khib_tui import cli

    try:
        if Path("/", handover.PATH).exists():
            cli.run(cast(Any, SimpleNamespace(verb="commands.save:save", json=False, plain=words.plain, debug=False)))
        else:
            cli.main(["restore", *(["--plain"] if words.plain else [])])
    finally:
        rescue()


def mount_all() -> None:
    """Mount the kernel's filesystems; what this kernel has not is left out."""
    for source, target, kind in _MOUNTS:
        path = Path(target)
        if not path.is_dir() and not target.startswith("/sys"):
            path.mkdir(parents=True, exist_ok=True)
        try:
            mount(source, target, kind)
        except OSError as error:
            if target in ("/proc", "/sys", "/dev"):
                print(f"khib: cannot mount {target}: {error.strerror}", flush=True)


def load_modules() -> None:
    """Load the modules that the initramfs lists, in its order; one that fails is only told."""
    if not _MODULES.exists():
        return
    for name in _MODULES.read_text().split():
        try:
            load_module(name)
        except OSError as error:
            print(f"khib: module {name}: {error.strerror}", flush=True)


def set_terminal(words: Words) -> None:
    """Tell programs what the console is: a serial line has no size and no type of its own."""
    os.environ |= {"LANG": "C.UTF-8", "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    os.environ["TERM"] = words.terminal
    quiet_kernel()
    try:
        rows, columns, *_ = struct.unpack("4H", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))
        if not rows or not columns:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", words.rows, words.columns, 0, 0))
    except OSError:
        return


def rescue() -> None:
    """C's command ended (B's never does): offer a shell, then reboot."""
    print("khib: type `khib restore` to try again, `exit` to restart the machine", flush=True)
    if sys.stdin is not None and Path("/bin/sh").exists():
        child = os.fork()
        if child == 0:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 1)
            os.execv("/bin/sh", ["-sh"])
        os.waitpid(child, 0)
    os.sync()
    reboot(REBOOT_RESTART)
