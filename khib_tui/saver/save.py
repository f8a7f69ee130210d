"""Saving A's memory into an image: what B is for."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import Any

import msgspec

from khib_tui.errors import CommandFailed, FailedAfterChange, ImageError
from khib_tui.events.progress import Meter, Stop
from khib_tui.events.types import Level, Message, Sink, StageName
from khib_tui.formats import vmcore
from khib_tui.handover.handover import FreePages, Handover, Mode
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image import marks, ranges
from khib_tui.image.codec import FRAME, Codec
from khib_tui.image.family import choose
from khib_tui.image.header import PAYLOAD_OFFSET, Header, State
from khib_tui.image.manifest import Manifest, WayBack, digest, pack_index
from khib_tui.image.parts import Gatherer, parts
from khib_tui.image.scan import Content, scan
from khib_tui.image.scan import runs as make_runs
from khib_tui.image.store import BLOCK, Store
from khib_tui.image.verify import check_readable, verify
from khib_tui.image.writer import Maker, Written, write_payload
from khib_tui.linux.devmem import Mappings, PhysicalMemory
from khib_tui.model.origin import DiskPrint
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import size
from khib_tui.pagefilter.leftout import left_out
from khib_tui.pagefilter.view import Doubt
from khib_tui.saver.fate import Byte, Fate
from khib_tui.saver.settle import complete, settle
from khib_tui.seal.crypto import Sealer

# What was mapped to look at it is still mapped when it is saved, up to 4 GiB: 8 MiB of page tables.
KEPT_WINDOWS = 64


def first_header(handover: Handover) -> Header:
    """Return the header of an image that has only begun."""
    return Header(
        image_id=handover.image_id, state=State.PARTIAL, generation=0, created=handover.created, host=handover.host,
        release=handover.release, ram_bytes=Ranges.of(handover.ram).total, seal=handover.seal,
    )  # fmt: skip


def refuse_overwriting(store: Store, allow: str = "") -> None:
    """Refuse to write over an image that still can be resumed.

    :param allow: identity of an image that may be overwritten.
    :raises ImageError: naming it.
    """
    there = headers.read(store)
    if there and there.state is State.COMPLETE and there.image_id != allow:
        raise ImageError(
            _("the target holds a complete image of {host}").format(host=there.host or _('another system')),
            hint=_("resume it, or give it up with `khib image discard`"), ident="HIB-E-COMPLETE",
        )  # fmt: skip


def finish_giving_up(store: Store) -> None:
    """Let the header say what the given-up mark says, before anything takes that mark away.

    :raises KhibError, OSError: the medium cannot be written; the mark is still there.
    """
    there = headers.read(store)
    if there and there.state is State.ABANDONED and there.reason == marks.REASON:
        headers.advance(store, there, there.state, there.reason)


def save(
    handover: Handover, entry: int, memory: PhysicalMemory, store: Store, disks: tuple[DiskPrint, ...],
    saver: tuple[str, str], sink: Sink, stop: Stop, fate: Byte | None = None,
) -> Header:  # fmt: skip
    """Save A's memory into the store: partial, data, manifest, complete, each durable before the next.

    A rehearsal's image never becomes complete: it is verified while partial, and then given up.

    :param disks: the prints of A's disks.
    :param saver: release and version of this kernel.
    :param fate: is told whether A may run on: it decides, whatever this function returns or raises.
    :raises KhibError, OSError: the image is then marked abandoned, or at least is not complete.
    """
    fate = fate or Byte()
    refuse_overwriting(store, handover.dead)
    if isinstance(store, ranges.Ranged):
        store.write_map()
    finish_giving_up(store)
    headers.clear_gaps(store)
    marks.clear(store)
    header = headers.write(store, first_header(handover))
    try:
        header = _save(handover, entry, memory, store, disks, saver, sink, stop, header)
        if handover.mode is Mode.REHEARSE_SAVE:
            return headers.advance(store, header, State.ABANDONED, N_("it was a rehearsal"))
        stop.too_late()
        return complete(store, header, fate, handover.setup_id)
    except BaseException as error:
        _give_up(store, header, error, fate)
        if fate.now is Fate.SLEEPS:
            return _as_it_is(store, header)
        raise


def _as_it_is(store: Store, header: Header) -> Header:
    """Read the header of an image that is complete, or give it as it should be."""
    with suppress(Exception):
        there = headers.read(store)
        if there is not None:
            return there
    return msgspec.structs.replace(header, state=State.COMPLETE)


def _give_up(store: Store, header: Header, error: BaseException, fate: Byte) -> None:
    """Mark a failed image as abandoned.

    :raises FailedAfterChange: the medium takes no more writes; the image is not complete.
    """
    try:
        settle(store, header, str(error), fate)
    except Exception as second:
        if fate.now is Fate.SLEEPS:
            return
        raise FailedAfterChange(
            _("saving failed ({error}), and the target cannot be written any more ({second})").format(
                error=error, second=second
            ),
            hint=_("the image is not complete and will never be resumed"),
            ident="HIB-E-ABANDON",
        ) from error


def _save(
    handover: Handover, entry: int, memory: PhysicalMemory, store: Store, disks: tuple[DiskPrint, ...],
    saver: tuple[str, str], sink: Sink, stop: Stop, header: Header,
) -> Header:  # fmt: skip
    started = time.monotonic()
    sealer = sealer_of(handover)
    with closing(Mappings(memory, Ranges.of(handover.saved), KEPT_WINDOWS)) as windows:
        runs, content = _look(handover, find_free(handover, entry, memory, sink), windows, sink, stop)
        notes = vmcore.note("VMCOREINFO", handover.vmcoreinfo.encode("latin-1"))
        placed = vmcore.place(runs, len(notes))
        head = vmcore.header(placed, notes, handover.page_offset)
        codec, payload = _write(handover, windows, store, head, placed, sealer, sink, stop)
    index, index_offset = pack_index(payload.frames), payload.next_block
    store.write(index_offset, index)
    manifest = msgspec.json.encode(
        _manifest(
            handover, entry, disks, saver, time.monotonic() - started, codec=codec,
            payload_size=payload.size, raw_size=payload.raw_size, frames=len(payload.frames),
            index_offset=index_offset, index_size=len(index), index_digest=digest(index),
            free_bytes=Ranges.of(handover.saved).total - sum(run.memsz for run in runs), zero_bytes=content.zero,
        )
    )  # fmt: skip
    if sealer:
        manifest = sealer.seal_manifest(manifest)
    manifest_offset = -(-(index_offset + len(index)) // BLOCK) * BLOCK
    store.write(manifest_offset, manifest)
    store.flush()
    stop.check()
    header = msgspec.structs.replace(
        header, image_bytes=manifest_offset + len(manifest), manifest_offset=manifest_offset,
        manifest_size=len(manifest), manifest_digest=digest(manifest),
    )  # fmt: skip
    check_readable(store, header, sealer)
    if handover.verify or handover.mode is Mode.REHEARSE_SAVE:
        verify(store, header, sink, stop, sealer)
    stop.check()
    return header


def sealer_of(handover: Handover) -> Sealer | None:
    """Return what seals the image, or None for one that is not sealed."""
    if handover.seal is None:
        return None
    return Sealer(bytes.fromhex(handover.key), handover.seal.cipher, handover.image_id)


def _look(
    handover: Handover, free: Ranges, windows: Mappings, sink: Sink, stop: Stop
) -> tuple[list[vmcore.MemoryRun], Content]:
    """Find out what must be saved."""
    saved = Ranges.of(handover.saved)
    meter = Meter(sink, StageName.SCAN, saved.total, stop)

    content = scan(windows, saved, free, meter.add)
    absent = free if handover.free_pages is FreePages.LEAVE_OUT else Ranges()
    sink(
        Message(
            _("left out: {free} free, {zeros} of zeros; of {total}").format(
                free=size(content.absent), zeros=size(content.zero), total=size(saved.total)
            )
        )
    )
    return make_runs(saved, absent, content), content


def find_free(handover: Handover, entry: int, memory: PhysicalMemory, sink: Sink) -> Ranges:
    """Find A's free pages; none if there is any doubt, and then it is said why."""
    if handover.free_pages is FreePages.SAVE:
        sink(Message(_("free pages are saved too: the kernel keeps a pattern in them (page_poison, debug_pagealloc)")))
        return Ranges()
    try:
        return left_out(
            memory, handover, entry, page_offset=handover.page_offset, description=handover.vmcoreinfo,
            used=[handover.report_page],
        )  # fmt: skip
    except (Doubt, CommandFailed) as doubt:
        sink(Message(_("free pages are saved too: {doubt}").format(doubt=doubt), Level.WARNING))
    except MemoryError:
        sink(Message(_("free pages are saved too: there is too little memory to find them"), Level.WARNING))
    return Ranges()


def _write(
    handover: Handover, windows: Mappings, store: Store, head: bytes, placed: list[vmcore.Placed],
    sealer: Sealer | None, sink: Sink, stop: Stop,
) -> tuple[Codec, Written]:  # fmt: skip
    """Choose the codec and write the payload."""
    total = len(head) + sum(item.run.filesz for item in placed)
    gatherer = Gatherer(windows)
    chosen = choose(handover.codec, gatherer, parts(head, placed), -(-total // FRAME))
    sink(Message(_("compression: {codec}, {why}").format(codec=chosen.codec, why=chosen.why)))
    meter = Meter(sink, StageName.SAVE, total, stop)

    def progress(held: int, made: int) -> None:
        meter.image = made
        meter.add(held)

    maker = Maker(gatherer, chosen.codec, sealer, chosen.least, chosen.known)
    written = write_payload(store, maker, parts(head, placed), progress)
    if written.raw_size != total:
        raise ImageError(
            _("{raw_size} of {total} bytes were written").format(raw_size=written.raw_size, total=total),
            hint=_("try again"),
            ident="HIB-E-COVER",
        )
    plain = sum(frame.raw for frame in written.frames if frame.stored >= frame.raw)
    sink(
        Message(
            _("stored as it is: {stored} of {total}; the image's payload has {payload}").format(
                stored=size(plain), total=size(total), payload=size(written.size)
            )
        )
    )
    return chosen.codec, written


def _manifest(
    handover: Handover, entry: int, disks: tuple[DiskPrint, ...], saver: tuple[str, str], seconds: float, **written: Any
) -> Manifest:
    """Make the manifest of what was handed over and what was written."""
    return Manifest(
        image_id=handover.image_id, created=handover.created, host=handover.host, release=handover.release,
        version=handover.version, saver_release=saver[0], saver_version=saver[1], cpu=handover.cpu, uefi=handover.uefi,
        dmi=handover.dmi, firmware_memmap=handover.firmware_memmap, ram=handover.ram, region=handover.region,
        saved=handover.saved, way_back=WayBack(entry, handover.gdt, handover.report_page, handover.cookie), disks=disks,
        payload_offset=PAYLOAD_OFFSET, save_seconds=seconds,
        hardware_signature=handover.hardware_signature, signature_rule=handover.signature_rule,
        acpi_tables=handover.acpi_tables, place=ranges.digest(handover.target.spans if handover.target else ()), **written,
    )  # fmt: skip
