"""The steps of every plan. Each says what it does and does it, so that preview and run cannot drift apart."""

from __future__ import annotations

import mmap
import os
import shutil
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from khib_tui import bzimage, handover, targets
from khib_tui.bootentry import BootEntry, common_words, restore_entry
from khib_tui.decide import Choice
from khib_tui.errors import CommandFailed, FailedAfterChange, KhibError
from khib_tui.events import Message, Sink
from khib_tui.handover import After, Handover, Mode
from khib_tui.identity import TargetRef, key_of
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.place import opened
from khib_tui.jump import gdt, loader
from khib_tui.jump.syscalls import REBOOT_KEXEC, kexec_load, kexec_unload, reboot, syncfs
from khib_tui.machine import KernelFile, Machine
from khib_tui.report import Report, ReportPage, new_image_id
from khib_tui.settings import Settings
from khib_tui.settings import save as save_settings
from khib_tui.units import PAGE, size


class Action(Protocol):
    """A step of a plan."""

    def describe(self) -> str:
        """Say it in one line, with all that matters."""

    def apply(self, run: Run) -> None:
        """Do it."""


@dataclass
class Run:
    """What the steps of one run share while they are applied."""

    sink: Sink
    machine: Machine
    page: ReportPage | None = None
    handover: Handover | None = None
    report: Report | None = None
    loaded: bool = False
    away_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def undo(self) -> None:
        """Give back what a failed run holds: the memory of a loaded saver."""
        if self.loaded:
            with suppress(KhibError):
                kexec_unload()
            self.loaded = False


@dataclass(frozen=True)
class InstallSaver:
    """Keep a copy of B's and C's kernel, and their initramfs, where the boot loader finds them."""

    kernel: KernelFile
    settings: Settings

    def describe(self) -> str:
        """Say what is installed where."""
        return f"keep kernel {self.kernel.release} and its initramfs in {self.settings.directory}"

    def apply(self, run: Run) -> None:
        """Copy and build only what is not there yet."""
        self.settings.directory.mkdir(parents=True, exist_ok=True)
        from khib_tui.recovery import initramfs

        copy_if_newer(Path(self.kernel.path), saver_kernel(self.settings))
        initramfs.install(run.sink, self.settings.initramfs, self.kernel.release)


def saver_kernel(settings: Settings) -> Path:
    """Where the kernel of B and C is kept."""
    return settings.directory / "vmlinuz"


def copy_if_newer(source: Path, copy: Path) -> None:
    """Copy a file unless an equal copy is there; the copy appears whole or not at all."""
    if copy.exists() and copy.stat().st_size == source.stat().st_size and copy.read_bytes() == source.read_bytes():
        return
    part = copy.with_name(copy.name + ".part")
    shutil.copyfile(source, part)
    fd = os.open(part, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    part.replace(copy)


@dataclass(frozen=True)
class WriteBootEntry:
    """Write C's boot entry, with the exact memory words."""

    choice: Choice

    def describe(self) -> str:
        """Say where the entry goes, and what memory it gives C."""
        return f"write boot entry {self.choice.settings.boot_entry}: {self.entry().options}"

    def entry(self) -> BootEntry:
        """Make the entry."""
        choice, target = self.choice, self.choice.target
        image = targets.word(target, choice.machine) if target and target.kind == "file" else ""
        return restore_entry(choice.machine.cmdline, choice.settings, choice.words, image, saver_kernel(choice.settings))

    def apply(self, run: Run) -> None:
        """Write it unless it is the same already."""
        path, text = self.choice.settings.boot_entry, self.entry().text()
        if path.exists() and path.read_text() == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(text)
        part.replace(path)


@dataclass(frozen=True)
class KeepSettings:
    """Keep the user's choices."""

    settings: Settings
    path: Path

    def describe(self) -> str:
        """Say where."""
        return f"keep these choices in {self.path}"

    def apply(self, run: Run) -> None:
        """Write the file."""
        save_settings(self.settings, self.path)


@dataclass(frozen=True)
class LoadSaver:
    """Load B into memory: kernel, initramfs, hand-over, exact memory map."""

    choice: Choice
    mode: Mode

    def describe(self) -> str:
        """Say what is loaded where."""
        region = self.choice.region
        spans = " and ".join(f"{start:#x}-{end - 1:#x}" for start, end in region.own)
        return f"load kernel {self.choice.kernel.release} into {size(region.own.total)} of memory at {spans}"

    def command_line(self) -> str:
        """Give B's command line."""
        return " ".join(common_words(self.choice.machine.cmdline, self.choice.settings))

    def apply(self, run: Run) -> None:
        """Load it; A keeps running."""
        with suppress(KhibError):
            kexec_unload()
        choice = self.choice
        facts = gdt.read_facts()
        run.page = ReportPage(choice.region.saved, choice.region.own.total)
        kernel = bzimage.read(saver_kernel(choice.settings))
        with mapped(Path(kernel.path)) as image, mapped(choice.settings.initramfs) as initrd:
            payload = memoryview(image)[kernel.payload_offset : kernel.payload_offset + kernel.payload_size]
            # The mailbox lies at an address that depends on the size of the hand-over, which tells the address.
            size_of = loader.pages(len(handover.pack(self._handover(run.page, facts, (1 << 52) - PAGE)))) + PAGE
            place = loader.layout(choice.region, kernel, len(initrd), size_of)
            run.handover = self._handover(run.page, facts, place.mailbox)
            archive = handover.pack(run.handover).ljust(size_of, b"\0")
            loaded = loader.prepare(
                choice.machine, choice.region, kernel, payload=payload, initrd=memoryview(initrd), handover=archive,
                command_line=self.command_line(), of_a=boot_params_of_a(),
            )  # fmt: skip
            assert loaded.layout.mailbox == place.mailbox
            kexec_load(loaded.layout.stub, loaded.segments, preserve_context=True)
            payload.release()
        run.loaded = True
        run.sink(Message(f"{len(loaded.segments)} segments, {size(choice.region.saved.total)} of memory are to be saved"))

    def _handover(self, page: ReportPage, facts: gdt.KernelFacts, mailbox: int) -> Handover:
        choice = self.choice
        machine, settings, region = choice.machine, choice.settings, choice.region
        return Handover(
            mode=self.mode, image_id=new_image_id(), created=time.time(), host=socket.gethostname(),
            release=machine.release, version=machine.version, cpu=machine.cpu, uefi=machine.uefi, dmi=machine.dmi,
            firmware_memmap=machine.firmware_memmap,
            ram=region.ram.spans, region=region.own.spans, saved=region.saved.spans,
            mailbox=mailbox, gdt=facts.gdt, report_page=page.physical, cookie=page.cookie.hex(),
            page_offset=facts.page_offset, vmcoreinfo=facts.vmcoreinfo, target=self._target(), codec=settings.codec,
            verify=settings.verify, after=After(settings.after), events=settings.events, plain=settings.plain,
        )  # fmt: skip

    def _target(self) -> TargetRef | None:
        target = self.choice.target
        if target is None:
            return None
        device = self.choice.machine.device(target.device)
        assert device is not None
        return TargetRef(key_of(device), target.path)


class mapped:
    """A file as a read-only buffer, for the time of a `with`, without a copy in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> mmap.mmap:
        try:
            with self.path.open("rb") as stream:
                self.map = mmap.mmap(stream.fileno(), 0, mmap.MAP_PRIVATE)
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{self.path}: {error}", hint="run `khib setup`", ident="HIB-E-SAVER") from error
        return self.map

    def __exit__(self, *_: object) -> None:
        with suppress(BufferError):
            self.map.close()


def boot_params_of_a(path: Path = Path("/sys/kernel/boot_params/data")) -> bytes:
    """Read A's own zero page, for the state of its screen."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@dataclass(frozen=True)
class WriteBack:
    """Write back every filesystem, and know that it worked."""

    def describe(self) -> str:
        """Say it."""
        return "write back every mounted filesystem, with checked results"

    def apply(self, run: Run) -> None:
        """Sync each; the jump itself does not.

        :raises CommandFailed: one could not be written.
        """
        places = {device.mounts[0]: device for device in run.machine.devices if device.mounts}
        for place in ["/", *places]:
            try:
                syncfs(place)
            except OSError as error:
                raise CommandFailed(
                    f"{place} cannot be written back: {error.strerror}", hint="check that disk first", ident="HIB-E-SYNC"
                ) from error


@dataclass(frozen=True)
class Jump:
    """Jump into B. This returns when A is back, minutes or weeks later."""

    choice: Choice
    mode: Mode

    def describe(self) -> str:
        """Say what happens away from here."""
        saved = size(self.choice.region.saved.total)
        target = self.choice.target
        match self.mode:
            case Mode.REHEARSE:
                return "jump into the saver and straight back; nothing is written"
            case Mode.REHEARSE_SAVE:
                return f"jump into the saver, save up to {saved} to {target}, verify it, and come back"
        return f"jump into the saver, save up to {saved} to {target}, {self.choice.settings.after.value}"

    def apply(self, run: Run) -> None:
        """Go, and read the report after coming back.

        :raises CommandFailed: the kernel refused to jump; nothing was written.
        """
        started = time.time()
        reboot(REBOOT_KEXEC)
        run.away_seconds = time.time() - started
        assert run.page is not None
        run.report = run.page.read()


@dataclass(frozen=True)
class Unload:
    """Give the memory of B back. A second jump would enter what is left of C."""

    def describe(self) -> str:
        """Say it."""
        return "after the way back: unload the saver, which gives its memory back"

    def apply(self, run: Run) -> None:
        """Unload."""
        kexec_unload()
        run.loaded = False


@dataclass(frozen=True)
class CloseImage:
    """Mark a resumed image as done."""

    choice: Choice

    def describe(self) -> str:
        """Say it."""
        return "mark the image as done"

    def apply(self, run: Run) -> None:
        """Mark it if it is ours and was claimed.

        :raises FailedAfterChange: the target cannot be written; the image stays claimed, which is as safe.
        """
        assert run.handover is not None and run.handover.target is not None
        try:
            with opened(run.machine.devices, run.handover.target) as store:
                header = headers.read(store)
                if header and header.image_id == run.handover.image_id and header.state is State.CLAIMED:
                    headers.advance(store, header, State.DONE)
        except (KhibError, OSError) as error:
            raise FailedAfterChange(f"the image could not be marked as done: {error}", ident="HIB-E-DONE") from error


