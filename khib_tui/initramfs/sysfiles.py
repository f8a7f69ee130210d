"""The part of the initramfs that is no Python: directories, devices, scripts, a rescue shell, terminal descriptions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.formats.cpio import Entry, device, directory, file, symlink
from khib_tui.i18n import _
from khib_tui.initramfs.elfdeps import placed
from khib_tui.initramfs.pyfiles import INTERPRETER_DIR, LIBRARIES
from khib_tui.model.sshfiles import KEY, KNOWN, SSH

TERMINALS = (
    "linux", "vt100", "vt102", "vt220", "xterm", "xterm-256color", "dumb", "ansi", "screen", "screen-256color", "tmux",
    "tmux-256color",
)  # fmt: skip
TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")
APPLETS = (
    "sh", "ash", "awk", "blkid", "blockdev", "cat", "chmod", "chroot", "clear", "cp", "date", "dd", "devmem", "df", "dmesg",
    "du", "echo", "env", "false", "fdisk", "find", "free", "grep", "head", "hexdump", "id", "insmod", "kill", "less", "ln",
    "losetup", "ls", "lsmod", "lspci", "lsusb", "mkdir", "mknod", "more", "mount", "mv", "ps", "pwd", "readlink", "reset",
    "rm", "rmdir", "sed", "sleep", "sort", "stat", "stty", "sync", "tail", "test", "top", "touch", "tr", "true", "umount",
    "uname", "uptime", "vi", "wc", "which", "xxd",
)  # fmt: skip
WITHOUT_BUSYBOX = ("ls", "cat", "dmesg", "mount", "umount")
LINKS = ("bin", "sbin", "lib", "lib64", "usr/sbin", "usr/lib64")
_SEARCH = "/bin:/usr/bin:/sbin:/usr/sbin"

_START = """#!/{interpreter} -IS
import sys

sys.path.append("/{libraries}")
from {module} import main

{call}
"""
_END = "#!/bin/sh\n# PID 1 is not busybox init, so a plain reboot would signal nobody\nsync\nexec busybox {name} -f\n"


def programs() -> dict[str, Path]:
    """Return busybox, or else a shell and a few tools, by their names in the initramfs."""
    busybox = shutil.which("busybox", path=_SEARCH)
    if busybox:
        return {placed("/bin/busybox"): Path(busybox)}
    shell = shutil.which("dash", path=_SEARCH) or shutil.which("sh", path=_SEARCH)
    found = {f"/bin/{name}": shutil.which(name, path=_SEARCH) for name in WITHOUT_BUSYBOX} | {"/bin/sh": shell}
    return {placed(name): Path(os.path.realpath(path)) for name, path in found.items() if path}


def applets(files: Mapping[str, Path]) -> Iterator[Entry]:
    """Yield the names that busybox, if it is among the files, answers to."""
    if placed("/bin/busybox") not in files:
        return
    names = files[placed("/bin/busybox")].read_bytes()
    for name in APPLETS:
        if f"\0{name}\0".encode() in names:
            yield symlink(placed(f"/bin/{name}"), "busybox")
    for name in ("reboot", "poweroff", "halt"):
        yield file(placed(f"/bin/{name}"), _END.format(name=name).encode(), 0o755)


def ssh() -> dict[str, Path]:
    """Return the ssh client, the key that is khib's alone, and the host that is known, by their names in the initramfs.

    :raises Refused: HIB-E-SSH, one of them is not there.
    """
    found = {placed(SSH): Path(SSH), **{str(path).lstrip("/"): path for path in (KEY, KNOWN)}}
    for path in found.values():
        if not path.is_file():
            hint = _("install openssh-client") if path == Path(SSH) else _("run `khib setup`")
            raise Refused(_("{path} is not there").format(path=path), hint=hint, ident="HIB-E-SSH")
    return found


def terminfo() -> dict[str, Path]:
    """Return the descriptions of terminals; all go to the one directory that every curses looks into."""
    found = {}
    for name in TERMINALS:
        places = [Path(top, first, name) for top in TERMINFO for first in (name[0], f"{ord(name[0]):x}")]
        path = next((path for path in places if path.is_file()), None)
        if path:
            found[f"usr/share/terminfo/{name[0]}/{name}"] = path
    return found


def skeleton(interpreter: str) -> Iterator[Entry]:
    """Yield directories, devices, accounts, links and the scripts that start us.

    :param interpreter: the name of Python's file.
    """
    for name in ("proc", "sys", "dev", "run", "mnt", "etc", "usr"):
        yield directory(name)
    yield directory("root", 0o700)
    yield directory("tmp", 0o1777)
    yield device("dev/console", 5, 1)
    yield device("dev/null", 1, 3, 0o666)
    yield device("dev/kmsg", 1, 11, 0o644)
    # Python ends at once if the kernel has no randomness yet and this is not there
    yield device("dev/urandom", 1, 9, 0o666)
    yield file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    yield file("etc/group", b"root:x:0:\n")
    yield file("etc/hostname", b"khib\n")
    for name in LINKS:
        if Path("/", name).is_symlink():
            yield symlink(name, str(Path("/", name).readlink()))
    path = INTERPRETER_DIR + interpreter
    if interpreter != "python3":
        yield symlink(INTERPRETER_DIR + "python3", interpreter)
    yield _script("init", path, "khib_tui.init", "main()")
    yield _script("usr/bin/khib", path, "khib_tui.cli", "sys.exit(main())")


def _script(name: str, interpreter: str, module: str, call: str) -> Entry:
    text = _START.format(interpreter=interpreter, libraries=LIBRARIES, module=module, call=call)
    return file(name, text.encode(), 0o755)
