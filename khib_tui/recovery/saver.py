"""Saving A's memory into an image: what B is for."""

from __future__ import annotations

import time

import msgspec

from khib_tui.errors import FailedAfterChange, ImageError, KhibError
from khib_tui.events import Meter, Sink
from khib_tui.handover import Handover
from khib_tui.image import header as headers
from khib_tui.image import reader, vmcore
from khib_tui.image.header import PAYLOAD_OFFSET, Header, State
from khib_tui.image.manifest import DiskPrint, Manifest, WayBack, digest, pack_index, read, read_index
from khib_tui.image.scan import scan
from khib_tui.image.store import Store, Stream
from khib_tui.image.writer import content, write_payload
from khib_tui.jump.devmem import PhysicalMemory
from khib_tui.ranges import Ranges
from khib_tui.stage import Stop


def first_header(handover: Handover) -> Header:
    """Give the header of an image that has only begun."""
    return Header(
        image_id=handover.image_id, state=State.PARTIAL, generation=0, created=handover.created, host=handover.host,
        release=handover.release, ram_bytes=Ranges.of(handover.ram).total,
    )  # fmt: skip


def refuse_overwriting(store: Store, allow: str = "") -> None:
    """Refuse to write over an image that still can be resumed.

    :param allow: identity of an image that may be overwritten.
    :raises ImageError: naming it.
    """
    there = headers.read(store)
    if there and there.state is State.COMPLETE and there.image_id != allow:
        raise ImageError(
            f"the target holds a complete image of {there.host or 'another system'}",
            hint="resume it, or give it up with `khib image discard`", ident="HIB-E-COMPLETE",
        )  # fmt: skip


def save(
    handover: Handover, entry: int, memory: PhysicalMemory, store: Store, disks: tuple[DiskPrint, ...],
    saver: tuple[str, str], sink: Sink, stop: Stop,
) -> Header:  # fmt: skip
    """Save A's memory into the store: partial, data, manifest, complete, each durable before the next.

    :param disks: the prints of A's disks.
    :param saver: release and version of this kernel.
    :raises KhibError, OSError: the image is then marked abandoned, or at least never complete.
    """
    refuse_overwriting(store)
    header = headers.write(store, first_header(handover))
    try:
        return _save(handover, entry, memory, store, disks, saver, sink, stop, header)
    except BaseException as error:
        if settled := _abandon(store, header, error):
            return settled
        raise


def _abandon(store: Store, header: Header, error: BaseException) -> Header | None:
    """Mark a failed image as abandoned.

    :returns: the header if the image is complete after all and cannot be unmade: then A must not run on.
    :raises FailedAfterChange: the medium takes no more writes; the image is not complete.
    """
    try:
        headers.advance(store, header, State.ABANDONED, str(error))
    except (OSError, KhibError) as second:
        if there := _complete(store, header):
            return there
        raise FailedAfterChange(
            f"saving failed ({error}), and the target cannot be written any more ({second})",
            hint="the image is not complete and will never be resumed", ident="HIB-E-ABANDON",
        ) from error  # fmt: skip
    return None


def _complete(store: Store, header: Header) -> Header | None:
    try:
        there = headers.read(store)
    except (OSError, KhibError):
        return None
    return there if there and there.image_id == header.image_id and there.state is State.COMPLETE else None


def _save(
    handover: Handover, entry: int, memory: PhysicalMemory, store: Store, disks: tuple[DiskPrint, ...],
    saver: tuple[str, str], sink: Sink, stop: Stop, header: Header,
) -> Header:  # fmt: skip
    started = time.monotonic()
    saved = Ranges.of(handover.saved)
    looked = Meter(sink, "scan", saved.total)

    def step(meter: Meter, count: int) -> None:
        meter.add(count)
        stop.check()

    runs = scan(memory, saved, lambda count: step(looked, count))
    notes = vmcore.note("VMCOREINFO", handover.vmcoreinfo.encode("latin-1"))
    placed = vmcore.place(runs, len(notes))
    head = vmcore.header(placed, notes, handover.page_offset)
    written = Meter(sink, "save", len(head) + sum(run.filesz for run in runs))
    stream = Stream(store, PAYLOAD_OFFSET)
    try:
        pieces = content(memory, saved, head, placed)
        payload = write_payload(stream, pieces, handover.codec, lambda count: step(written, count))
        payload_end = stream.position
        index_offset = stream.finish()
    finally:
        stream.close()
    index = pack_index(payload.frames)
    store.write(index_offset, index)
    manifest = msgspec.json.encode(
        _manifest(
            handover, entry, disks, saver, time.monotonic() - started,
            payload_size=payload_end - PAYLOAD_OFFSET, raw_size=payload.raw_size, frames=len(payload.frames),
            index_offset=index_offset, index_size=len(index), index_digest=digest(index),
        )
    )  # fmt: skip
    manifest_offset = -(-(index_offset + len(index)) // 4096) * 4096
    store.write(manifest_offset, manifest)
    store.flush()
    stop.check()
    header = msgspec.structs.replace(
        header, image_bytes=manifest_offset + len(manifest), manifest_offset=manifest_offset,
        manifest_size=len(manifest), manifest_digest=digest(manifest),
    )  # fmt: skip
    check_readable(store, header)
    if handover.verify:
        verify(store, header, sink, stop)
    stop.check()
    stop.too_late()
    return headers.advance(store, header, State.COMPLETE)


def _manifest(
    handover: Handover, entry: int, disks: tuple[DiskPrint, ...], saver: tuple[str, str], seconds: float, *,
    payload_size: int, raw_size: int, frames: int, index_offset: int, index_size: int, index_digest: str,
) -> Manifest:  # fmt: skip
    return Manifest(
        image_id=handover.image_id, created=handover.created, host=handover.host, release=handover.release,
        version=handover.version, saver_release=saver[0], saver_version=saver[1], cpu=handover.cpu, uefi=handover.uefi,
        dmi=handover.dmi, firmware_memmap=handover.firmware_memmap, ram=handover.ram, region=handover.region,
        saved=handover.saved, way_back=WayBack(entry, handover.gdt, handover.report_page, handover.cookie), disks=disks,
        codec=handover.codec, payload_offset=PAYLOAD_OFFSET, payload_size=payload_size, raw_size=raw_size, frames=frames,
        index_offset=index_offset, index_size=index_size, index_digest=index_digest, save_seconds=seconds,
    )  # fmt: skip


def check_readable(store: Store, header: Header) -> None:
    """Read back manifest and index from the medium.

    :raises ImageError: they are not what was written.
    """
    read_index(store, read(store, header))


def verify(store: Store, header: Header, sink: Sink, stop: Stop) -> Manifest:
    """Read the whole image back from the medium and check every digest and the cover of memory.

    :raises ImageError: it is damaged; the byte is in the text.
    """
    manifest = read(store, header)
    frames = read_index(store, manifest)
    meter = Meter(sink, "verify", manifest.saved_ranges.total)

    def step(count: int) -> None:
        meter.add(count)
        stop.check()

    reader.unfold(reader.Payload(store, manifest, frames), manifest.saved_ranges, reader.Nowhere(), step)
    return manifest
