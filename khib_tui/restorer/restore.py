"""Restoring A's memory from an image, and everything that must be true before: what C is for."""

from __future__ import annotations

import time

from khib_tui.decide.hardware import signature_findings, tables_findings
from khib_tui.decide.region import system_ram
from khib_tui.errors import ImageError
from khib_tui.events.progress import Meter, Stop
from khib_tui.events.types import Finding, Severity, Sink, StageName
from khib_tui.facts.hardware import Hardware
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.image import ranges, reader
from khib_tui.image.header import Header
from khib_tui.image.manifest import Manifest, read, read_index
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.machine import Machine
from khib_tui.model.units import size
from khib_tui.restorer import memorymap
from khib_tui.seal.crypto import Sealer
from khib_tui.target.catalog import refuse_state


def mismatches(machine: Machine | Hardware, manifest: Manifest, kernel: tuple[str, str]) -> list[Finding]:
    """Compare this machine, as C sees it, with the one the image came from. Empty means: it is the same.

    :param kernel: release and version of C.
    """
    found = [*memorymap.changes(manifest.firmware_memmap, machine.firmware_memmap), *_modes(machine, manifest)]
    found += tables_findings(manifest.acpi_tables, machine.acpi_tables)
    if kernel != (manifest.saver_release, manifest.saver_version):
        what = _("this kernel is {kernel}, the image was saved by {saver_release}").format(
            kernel=kernel[0], saver_release=manifest.saver_release
        )
        why = _("only the kernel that was tried with this system is trusted")
        found.append(Finding("HIB-E-KERNEL", Severity.BLOCKER, what, why, _("boot the restore entry that khib wrote")))
    return [*found, *signature_findings(manifest.hardware_signature, machine.hardware_signature, manifest.signature_rule)]


def outside(machine: Machine | Hardware, manifest: Manifest) -> list[Finding]:
    """Return what forbids a resume because of the memory that C itself lies in; empty if that is inside the region."""
    own = system_ram(machine.iomem)
    if manifest.region_ranges.covers(own):
        return []
    return [
        Finding(
            "HIB-E-REGION-WORD", Severity.BLOCKER, _("this kernel uses memory outside the region"),
            _("it has {size} of RAM, and restoring would overwrite it: memmap= words are missing").format(size=size(own.total)),
            _("boot the restore entry that khib wrote, with all of its words and both of its initrds; the image is " "kept"),
        )
    ]  # fmt: skip


def _modes(machine: Machine | Hardware, manifest: Manifest) -> list[Finding]:
    then, now = manifest.cpu, machine.cpu
    steps = f"{then.family}/{then.model_number}/{then.stepping}", f"{now.family}/{now.model_number}/{now.stepping}"
    identities = manifest.dmi.get("product_uuid", ""), machine.dmi.get("product_uuid", "")
    return [
        *_mode("HIB-E-CPU", _("the processor"), f"{then.vendor} {then.model}", f"{now.vendor} {now.model}"),
        *_mode("HIB-E-CPU", _("the processor's family/model/stepping"), *steps),
        *_mode("HIB-E-CPU-FLAGS", _("the set of processor features"), then.flags_digest[:12], now.flags_digest[:12]),
        *_mode("HIB-E-LA57", _("5-level paging"), then.la57, now.la57),
        *_mode("HIB-E-DMI", _("the machine's identity"), *identities),
    ]


def _mode(ident: str, name: str, before: object, after: object) -> list[Finding]:
    if before == after:
        return []
    what = _("{name} was {before} and is {after}").format(name=name, before=before, after=after)
    return [Finding(ident, Severity.BLOCKER, what, _("the saved system cannot go on with that"), _("boot as before"))]


def fill_memory(
    store: Store, manifest: Manifest, memory: PhysicalMemory, sink: Sink, stop: Stop, sealer: Sealer | None = None
) -> float:
    """Put A's memory back, verifying every frame in the same pass; gives the seconds it took.

    Nothing is lost if this fails: the image is not claimed yet, and A's old memory content is worthless.

    :raises ImageError: the image is damaged or unreadable.
    """
    started = time.monotonic()
    frames = read_index(store, manifest)
    saved = manifest.saved_ranges
    meter = Meter(sink, StageName.RESTORE, sum(frame.stored for frame in frames), stop)

    filler = reader.MemoryFiller(memory, saved)
    try:
        reader.unfold(reader.Payload(store, manifest, frames, sealer), filler, meter.add)
    finally:
        filler.close()
    return time.monotonic() - started


def examine(store: Store, sealer: Sealer | None = None) -> tuple[Header, Manifest]:
    """Read header and manifest of an image that is to be resumed.

    :param sealer: opens a sealed one.
    :raises ImageError: there is none, or it must not be.
    """
    header = headers.read(store)
    if header is None:
        raise ImageError(_("{store} holds no image").format(store=store.path), ident="HIB-E-NO-IMAGE")
    refuse_state(header)
    headers.refuse_damage(store)
    manifest = read(store, header, sealer)
    if manifest.place != ranges.digest(store.spans if isinstance(store, ranges.Ranged) else ()):
        raise ImageError(_("the image lies in other ranges than it was saved to"), hint=_("boot normally"), ident="HIB-E-MAP")
    return header, manifest
