"""What the QEMU machine is made of, and what it is to start: the words of its command."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.lab.board import Board
from khib_tui.lab.machine import VIRTIO, Machine

QEMU = "qemu-system-x86_64"
_OVMF = ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd")


@dataclass(frozen=True)
class Hardware:
    """The machine, the same for A and C. `memory` in MiB; `disks` are raw images in the order vda, vdb, ...

    :param memory_file: what the RAM is kept in, by physical address if it ends below the PCI hole.
    :param board: what else it has.
    :param one_thread: emulate all processors in one thread, slower. With a thread each, one may meet a breakpoint that
        another has just taken out of the kernel's code, which no real processor does: 7.2 died so ("Oops: int3") in 2 of 24.
    :param machine: how its disks are connected.
    :param video: the display, as QEMU's -vga calls it.
    """

    memory: int
    cpus: int
    firmware: str
    disks: tuple[Path, ...]
    directory: Path
    memory_file: Path | None = None
    board: Board = field(default_factory=Board)
    one_thread: bool = False
    machine: Machine = VIRTIO
    video: str = "std"

    @property
    def accelerator(self) -> str:
        """TCG everywhere: KVM may look present and still hang. `KHIB_LAB_ACCEL=kvm` asks for it."""
        return os.environ.get("KHIB_LAB_ACCEL", f"tcg,thread={'single' if self.one_thread else 'multi'}")

    def arguments(self) -> list[str]:
        """Return QEMU's words."""
        words = [QEMU, "-accel", self.accelerator, "-cpu", "max", *self.board.arguments(self.memory, self.cpus)]
        words += ["-smp", str(self.cpus), "-nodefaults", "-no-reboot", "-vga", self.video, "-display", "none"]
        words += ["-rtc", "base=utc", *self.machine.words]
        for number, disk in enumerate(self.disks):
            words += ["-drive", f"file={disk},format=raw,if=none,id=d{number},cache=writeback"]
            words += ["-device", self.machine.disk(number, self.board)]
        if self.memory_file:
            words += ["-object", f"memory-backend-file,id=ram,size={self.memory}M,mem-path={self.memory_file},share=on"]
            words += ["-machine", "memory-backend=ram"]
        if self.firmware == "uefi":
            words += self._uefi()
        return words

    def _uefi(self) -> list[str]:
        code = next((Path(path) for path in _OVMF if Path(path).exists()), None)
        if code is None:
            raise CommandFailed("OVMF is not installed", hint="apt install ovmf", ident="HIB-E-MISSING")
        variables = self.directory / "efivars.fd"
        if not variables.exists():
            shutil.copyfile(code.with_name(code.name.replace("CODE", "VARS")), variables)
        drive = "if=pflash,format=raw"
        return ["-drive", f"{drive},readonly=on,file={code}", "-drive", f"{drive},file={variables}"]


@dataclass(frozen=True)
class Boot:
    """What is booted; without a kernel, what firmware and boot loader find on the disks."""

    kernel: Path | None = None
    options: str = ""
    initrd: Path | None = None

    def arguments(self) -> list[str]:
        """Return QEMU's words."""
        if self.kernel is None:
            return []
        words = ["-kernel", os.fspath(self.kernel), "-append", self.options]
        return [*words, "-initrd", os.fspath(self.initrd)] if self.initrd else words
