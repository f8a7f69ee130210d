"""Going away and coming back: load B, write back, jump, and tidy up after the return."""

from __future__ import annotations

import mmap
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from khib_tui.bootloader.entry import saver_words
from khib_tui.decide.choice import Choice
from khib_tui.decide.freepages import policy
from khib_tui.decide.hardware import changed_hardware, signature_text
from khib_tui.errors import CommandFailed, KhibError, Refused
from khib_tui.events.types import Level, Message
from khib_tui.facts import blockdev
from khib_tui.facts.firmware import hardware_signature
from khib_tui.facts.usage import mounted_now
from khib_tui.formats import bzimage
from khib_tui.handover import handover
from khib_tui.handover.handover import Handover, Mode
from khib_tui.handover.report import ReportPage, new_image_id
from khib_tui.i18n import N_, _
from khib_tui.jump import gdt, loader
from khib_tui.linux.sleep import clock_now
from khib_tui.linux.syscalls import REBOOT_KEXEC, kexec_load, kexec_unload, reboot, syncfs
from khib_tui.model import wake
from khib_tui.model.choices import After
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.origin import Used
from khib_tui.model.settings import Settings
from khib_tui.model.setupid import setup_id
from khib_tui.model.units import PAGE, size
from khib_tui.plan.close import CloseImage
from khib_tui.plan.install import saver_kernel
from khib_tui.plan.later import later
from khib_tui.plan.step import Context
from khib_tui.prints.take import refuse_excess
from khib_tui.prints.used import joined, used, without

BLIND = N_(
    "it lies on a kind of device that khib does not see through; changes of it while this system sleeps may not be noticed"
)
AFTER = {After.POWEROFF: N_("power off"), After.REBOOT: N_("restart"), After.PLATFORM: N_("power off by ACPI S4"),
    After.HYBRID: N_("suspend to RAM")}  # fmt: skip


class LoadSaver(Struct, frozen=True):
    """Load B into memory: kernel, initramfs, hand-over, exact memory map."""

    choice: Choice
    mode: Mode

    def describe(self) -> str:
        """Return what is loaded where."""
        region = self.choice.region
        spans = _(" and ").join(f"{start:#x}-{end - 1:#x}" for start, end in region.own)
        return _("load kernel {release} into {size} of memory at {spans}").format(
            release=self.choice.kernel.release, size=size(region.own.total), spans=spans
        )

    def command_line(self) -> str:
        """Return B's command line."""
        return " ".join(saver_words(self.choice.machine.cmdline, self.choice.settings))

    def apply(self, context: Context) -> None:
        """Load it; A keeps running.

        :raises Refused: the image is to be sealed, and nobody gave the passphrase.
        """
        if self.choice.sealed and self.mode.saves and context.opened is None:
            raise Refused(_("the seal was not opened"), hint=_("give the passphrase"), ident="HIB-E-PASSPHRASE")
        with suppress(KhibError):
            kexec_unload()
        choice = self.choice
        facts = gdt.read_facts()
        in_use = joined(without(disks_in_use(context), context.place), context.watched)
        context.page = ReportPage(choice.region.saved, choice.region.own.total)
        kernel = bzimage.read(saver_kernel(choice.settings))
        with mapped(Path(kernel.path)) as image, mapped(choice.settings.initramfs) as initrd:
            payload = memoryview(image)[kernel.payload_offset : kernel.payload_offset + kernel.payload_size]
            # The mailbox lies at an address that depends on the size of the hand-over, which tells the address.
            size_of = loader.pages(len(handover.pack(self._handover(context, facts, in_use, (1 << 52) - PAGE)))) + PAGE
            place = loader.layout(choice.region, kernel, len(initrd), size_of)
            given = self._handover(context, facts, in_use, place.mailbox)
            archive = handover.pack(given).ljust(size_of, b"\0")
            context.handover, context.opened = msgspec.structs.replace(given, key=""), None
            loaded = loader.prepare(
                choice.machine, choice.region, kernel, payload=payload, initrd=memoryview(initrd), handover=archive,
                command_line=self.command_line(), of_a=boot_params_of_a(),
            )  # fmt: skip
            assert loaded.layout.mailbox == place.mailbox
            # Before: a Ctrl-C in between must not leave it loaded.
            context.loaded = True
            try:
                kexec_load(loaded.layout.stub, loaded.segments, preserve_context=True)
            except KhibError:
                context.loaded = False
                raise
            payload.release()
        text, saved = _("{count} segments, {size} of memory are to be saved"), size(choice.region.saved.total)
        context.sink(Message(text.format(count=len(loaded.segments), size=saved)))

    def _handover(self, context: Context, facts: gdt.KernelFacts, in_use: tuple[Used, ...], mailbox: int) -> Handover:
        choice, page, opened, image_id = self.choice, context.page, context.opened, new_image_id()
        assert page is not None
        machine, settings, region = choice.machine, choice.settings, choice.region
        return Handover(
            mode=self.mode, image_id=image_id, created=time.time(), host=socket.gethostname(),
            release=machine.release, version=machine.version, cpu=machine.cpu, uefi=machine.uefi, dmi=machine.dmi,
            firmware_memmap=machine.firmware_memmap,
            ram=region.ram.spans, region=region.own.spans, saved=region.saved.spans,
            mailbox=mailbox, gdt=facts.gdt, report_page=page.physical, cookie=page.cookie.hex(),
            page_offset=facts.page_offset, vmcoreinfo=facts.vmcoreinfo, target=self._target(context), used=in_use,
            codec=settings.codec, free_pages=policy(machine), verify=settings.verify, after=After(settings.after),
            wake=alarm_at(settings.wake),
            events=settings.events, plain=settings.plain, seal=opened.seal if opened else None,
            key=opened.image_key(image_id) if opened else "", setup_id=setup_id(),
            hardware_signature=machine.hardware_signature, signature_rule=machine.signature_rule,
            acpi_tables=machine.acpi_tables, dead=context.dead, later=later(choice),
        )  # fmt: skip

    def _target(self, context: Context) -> TargetRef | None:
        target = self.choice.target
        if target is None or target.whole:
            return context.place
        device = self.choice.machine.device(target.device)
        assert device is not None
        return TargetRef(key_of(device), target.path)


def alarm_at(text: str) -> int:
    """Return when the machine's clock is to wake it, in that clock's own seconds; 0 for never.

    :raises UsageError: it is no time.
    :raises Refused: there is no such clock.
    """
    return clock_now() + round(wake.seconds(text, time.time())) if text else 0


def disks_in_use(context: Context) -> tuple[Used, ...]:
    """Find what is in use at this moment, written back so that the disks say where a filesystem writes next.

    :raises Refused: to tell whether it was changed meanwhile would take too much reading.
    """
    os.sync()
    found, blind = used(blockdev.devices())
    refuse_excess(found)
    names = ", ".join(f"{item.name} ({item.what})" for item in found) or _("no disk")
    context.sink(Message(_("in use: {names}").format(names=names)))
    for what in blind:
        context.sink(Message(f"{what}: {_(BLIND)}", Level.WARNING))
    return found


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """Return a file as a buffer without a copy in memory, for the time of a `with`.

    :raises CommandFailed: it is not there.
    """
    try:
        with path.open("rb") as stream:
            content = mmap.mmap(stream.fileno(), 0, mmap.MAP_PRIVATE)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path}: {error}", hint=_("run `khib setup`"), ident="HIB-E-SAVER") from error
    try:
        yield content
    finally:
        # kexec_load's buffers may still be exported
        with suppress(BufferError):
            content.close()


def boot_params_of_a(path: Path = Path("/sys/kernel/boot_params/data")) -> bytes:
    """Read A's own zero page, for the state of its screen."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


class WriteBack(Struct, frozen=True):
    """Write back every filesystem, and know that it worked."""

    def describe(self) -> str:
        """Describe the step."""
        return _("write back every mounted filesystem, with checked results")

    def apply(self, context: Context) -> None:
        """Sync all that is mounted at this moment; the jump itself does not. sync(2) reaches what has no mount of ours.

        :raises CommandFailed: one could not be written.
        """
        os.sync()
        for place in dict.fromkeys(["/", *mounted_now()]):
            try:
                syncfs(place)
            except FileNotFoundError:
                continue  # hidden below another mount, or unmounted meanwhile
            except OSError as error:
                text = _("{place} cannot be written back: {reason}").format(place=place, reason=error.strerror)
                raise CommandFailed(text, hint=_("check that disk first"), ident="HIB-E-SYNC") from error


class Jump(Struct, frozen=True):
    """Jump into B. This returns when A is back, minutes or weeks later."""

    choice: Choice
    mode: Mode

    def describe(self) -> str:
        """Return what happens away from here."""
        saved = size(self.choice.region.saved.total) + (_(", sealed,") if self.choice.sealed else "")
        target = self.choice.target
        match self.mode:
            case Mode.REHEARSE:
                return _("jump into the saver and straight back; nothing is written")
            case Mode.REHEARSE_SAVE:
                text = _("jump into the saver, save up to {saved} to {target}, verify it, and come back")
                return text.format(saved=saved, target=target)
        text = _("jump into the saver, save up to {saved} to {target}, then {leaving}")
        return text.format(saved=saved, target=target, leaving=leaving(self.choice.settings))

    def apply(self, context: Context) -> None:
        """Go, and read the report after coming back.

        :raises Refused: the file that takes the image has moved since it was looked at.
        :raises CommandFailed: the kernel refused to jump; nothing was written.
        """
        started = time.time()
        refuse_moved(context)
        if self.mode.saves:
            context.closing = CloseImage(self.choice)
        reboot(REBOOT_KEXEC)
        context.changed = True
        context.release()
        context.disarm()
        context.away_seconds = time.time() - started
        assert context.page is not None
        context.report = context.page.read()
        warn_of_hardware(context)


def leaving(settings: Settings) -> str:
    """Say what follows saving."""
    after, alarm = _(AFTER[settings.after]), settings.wake
    if not alarm:
        return after
    text = _("{after}, and wake at {alarm}") if ":" in alarm else _("{after}, and wake after {alarm}")
    return text.format(after=after, alarm=alarm)


def refuse_moved(context: Context) -> None:
    """See that the image's place is still where the saver will write.

    :raises Refused: HIB-E-TARGET-MOVED.
    """
    if context.place and context.moved and context.moved(context.place):
        text = _("the place of the image was moved meanwhile, or something else uses it")
        raise Refused(
            text, hint=_("let what moves files (a balance, a defragmentation) end, and try again"), ident="HIB-E-TARGET-MOVED"
        )


def warn_of_hardware(context: Context) -> None:
    """Say it if the firmware's hardware signature is not the one that it was before."""
    given, now = context.handover, hardware_signature()
    if given and changed_hardware(given.hardware_signature, now, given.signature_rule):
        changed = signature_text(given.hardware_signature, now)
        context.sink(Message(_("{changed}: devices may not work as before").format(changed=changed), Level.WARNING))


class Unload(Struct, frozen=True):
    """Give the memory of what was loaded back. A second jump would enter what is left of C."""

    what: str = N_("the saver")

    def describe(self) -> str:
        """Describe the step."""
        return _("after the way back: unload {what}, which gives its memory back").format(what=_(self.what))

    def apply(self, context: Context) -> None:
        """Unload."""
        kexec_unload()
        context.loaded = False
