"""A machine whose processor has CET, which QEMU's emulator has not: Bochs, without a screen, started from a CD.

Some thirty million instructions a second on one processor; no disks, no network.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khib_tui import runner
from khib_tui.errors import CommandFailed

# Bochs 2.7 has the extended state of protection keys wrong, a drifting time stamp counter, fast short copies beside slow
# long ones, which 6.1's memmove does not expect, and an HPET that is late after a resume. Its RDRAND spares a wait.
WORDS = (
    "console=ttyS0,115200 nokaslr nosmp tsc=unstable noxsave nopku clearcpuid=fsrm hpet=disable random.trust_cpu=on panic=-1"
)
MODULES = "/usr/lib/grub/i386-pc"
BIOS, VGA_BIOS = "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/bochs/VGABIOS-lgpl-latest"
MACHINE = """\
cpu: model=tigerlake, count=1, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={memory}, host={memory}
romimage: file={bios}
vgaromimage: file={vga_bios}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={cd}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={console}
log: {log}
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
clock: sync=none
display_library: term
"""


@dataclass(frozen=True)
class Past:
    """What a run left: what the guest said on its serial line, and what the machine noted about itself."""

    console: str
    log: str


def run(directory: Path, kernel: Path, initrds: Mapping[str, Path], words: str, *, timeout: float = 600) -> Past:
    """Start a kernel and wait until it powers off or the processor gives up.

    :param directory: an empty one, for the CD and the logs.
    :param initrds: archives by the names they get on the CD; the kernel unpacks them in this order.
    :param timeout: in seconds.
    :raises CommandFailed: neither comes in time, or a program is missing.
    """
    cd, console, log = directory / "boot.iso", directory / "console.txt", directory / "bochs.log"
    make_cd(directory / "cd", cd, kernel, initrds, f"{WORDS} {words}")
    machine = directory / "machine"
    machine.write_text(
        MACHINE.format(memory=256, bios=BIOS, vga_bios=VGA_BIOS, cd=cd, console=console, log=log), encoding="ascii"
    )
    # Debian's Bochs is the one with the debugger, which waits for a word before it starts.
    go = directory / "go"
    go.write_text("c\n")
    _until_end(["bochs", "-q", "-f", machine, "-rc", go], timeout)
    return Past(*(path.read_text(errors="replace") if path.exists() else "" for path in (console, log)))


def make_cd(tree: Path, cd: Path, kernel: Path, initrds: Mapping[str, Path], words: str) -> None:
    """Make a CD whose GRUB starts the kernel at once.

    :raises CommandFailed: a program is missing.
    """
    (tree / "boot/grub").mkdir(parents=True)
    for name, path in {"vmlinuz": kernel, **initrds}.items():
        shutil.copyfile(path, tree / name)
    names = " ".join(f"/{name}" for name in initrds)
    (tree / "boot/grub/grub.cfg").write_text(f"linux /vmlinuz {words}\ninitrd {names}\nboot\n", encoding="ascii")
    runner.run(["grub-mkrescue", "--directory", MODULES, "--output", cd, tree])
    shutil.rmtree(tree)


def _until_end(words: list[str | os.PathLike[str]], timeout: float) -> None:
    """Run Bochs on a terminal of its own, which its display needs, and read what it draws so that it never waits."""
    ours, its = os.openpty()
    process = runner.spawn(words, env={"TERM": "xterm"}, stdin=its, stdout=its, stderr=its)
    os.close(its)
    drain = threading.Thread(target=_drain, args=(ours,))
    drain.start()
    try:
        _wait(process, timeout)
    finally:
        process.kill()
        process.wait()
        drain.join()
        os.close(ours)


def _wait(process: Any, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise CommandFailed(f"Bochs did not end within {timeout:.0f} s", ident="HIB-E-LAB-SILENT")
        time.sleep(0.1)


def _drain(terminal: int) -> None:
    with suppress(OSError):  # which is how its end shows
        while os.read(terminal, 65536):
            pass
