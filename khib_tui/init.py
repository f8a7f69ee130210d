"""PID 1 of B and C: make the machine usable, then run the one command this kernel was started for."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

from khib_tui import i18n
from khib_tui.handover.cmdline import Words
from khib_tui.handover.place import PATH
from khib_tui.i18n import N_, _
from khib_tui.linux.child import apart, said, wait
from khib_tui.linux.printk import quiet_kernel
from khib_tui.linux.syscalls import REBOOT_CAD_OFF, REBOOT_RESTART, load_module, mount, reboot

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
_SCREEN = Path("/etc/khib/screen")
_KEYMAP = Path("/etc/khib/keymap")
BARE = ""
# Bytes: what opening a seal maps and does not use was 17 MiB, beside the 64 that it does use.
UNTOUCHED = 32 << 20
RETRY = N_("`khib restore` to try again, ")
TRY_AGAIN = N_("`khib back` to try that again, ")


def main() -> None:
    """Never returns: PID 1 must not end. It only starts what does the work, and outlives it."""
    start()
    entered = Path("/", PATH).exists()
    text = TRY_AGAIN if entered else RETRY
    try:
        text = save() if entered else restore()
    except BaseException as error:
        print(f"khib: {type(error).__name__}: {error}", flush=True)
    finally:
        while True:
            with suppress(BaseException):
                rescue(text)


def start() -> None:
    """Make the machine usable. Ctrl-Alt-Del must not end what has A's only memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for step in (mount_all, lambda: reboot(REBOOT_CAD_OFF), load_modules, load_keymap, lambda: set_terminal(Words.read())):
        with suppress(Exception):
            step()


def save() -> str:
    """Be B: save, or come straight back. Return what to type, once neither is possible."""
    from khib_tui.saver import fate, supervise

    shared = fate.Byte(fate.PLACE)

    def work() -> None:
        from khib_tui.commands.save import save

        save(shared, Words.read().plain)

    reason = supervise.supervise(shared, work)
    print(_("\r\nThere is no way back to the running system: {reason}\r\n").format(reason=reason), flush=True)
    if shared.now is fate.Fate.RUNS_ON:
        return TRY_AGAIN
    print(_("Its disks are as after a power cut. Switch the machine off and start it normally.\r\n"), flush=True)
    return BARE


def restore() -> str:
    """Be C: resume. Return what to type, once that is refused."""

    def work() -> None:
        from khib_tui import cli

        cli.main(["restore", *(["--plain"] if Words.read().plain else [])])

    def clear_up() -> None:
        from khib_tui.restorer import claim

        claim.take_back_left()

    before = terminal_modes()
    ended = apart(work, UNTOUCHED)
    set_terminal_modes(before)
    if ended:
        print(_("khib: the restorer did not finish: {said}").format(said=said(ended)), flush=True)
        apart(clear_up)
    return RETRY


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
                print(_("khib: cannot mount {target}: {strerror}").format(target=target, strerror=error.strerror), flush=True)


def load_modules() -> None:
    """Load the modules that the initramfs lists, in its order, B's screen last; one that fails is only told."""
    for listed in (_MODULES, *([_SCREEN] if Path("/", PATH).exists() else [])):
        for name in listed.read_text().split() if listed.exists() else []:
            try:
                load_module(name)
            except OSError as error:
                print(_("khib: module {name}: {strerror}").format(name=name, strerror=error.strerror), flush=True)


def load_keymap() -> None:
    """Let the keyboard of the console be what it is in A: passphrases are typed on it."""
    if _KEYMAP.exists():
        from khib_tui.linux import keymap

        keymap.load(_KEYMAP.read_bytes())


def set_terminal(words: Words) -> None:
    """Tell programs what the console is: a serial line has no size and no type of its own."""
    os.environ |= {"LANG": "C.UTF-8", "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    os.environ["TERM"] = words.terminal
    i18n.use(words.lang)
    quiet_kernel()
    try:
        rows, columns, *_ = struct.unpack("4H", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))
        if not rows or not columns:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", words.rows, words.columns, 0, 0))
    except OSError:
        return


def terminal_modes() -> list[Any]:
    """Return how the terminal is set, empty if there is none."""
    try:
        return termios.tcgetattr(0)
    except (OSError, termios.error):
        return []


def set_terminal_modes(modes: list[Any]) -> None:
    """Set the terminal as it was: who died on it may have left it without echo."""
    with suppress(OSError, termios.error):
        if modes:
            termios.tcsetattr(0, termios.TCSANOW, modes)


def rescue(text: str) -> None:
    """Nothing more can be done by itself: offer a shell, then reboot."""
    print(_("khib: type {first}`exit` to restart the machine").format(first=_(text)), flush=True)
    if sys.stdin is not None and Path("/bin/sh").exists():
        child = os.fork()
        if child == 0:
            shell()
        wait(child)
    os.sync()
    reboot(REBOOT_RESTART)


def shell() -> None:
    """Become a shell. Never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 1)
        os.execv("/bin/sh", ["-sh"])
    finally:
        os._exit(os.EX_OSERR)
