"""C moves itself: where a boot loader has put it beside the image's region, it starts itself anew inside it.

It does so once. The C that it starts is told of by a word and a hand-over, and is refused like any other if it lies outside.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from khib_tui.decide.findings import refuse
from khib_tui.decide.region import Region
from khib_tui.errors import KhibError, Refused
from khib_tui.events.progress import Stop
from khib_tui.events.types import Message, Sink
from khib_tui.facts.read import data, text
from khib_tui.formats import bzimage
from khib_tui.handover import moved
from khib_tui.handover.cmdline import PREFIX, Words
from khib_tui.handover.moved import Moved
from khib_tui.handover.place import KERNEL, MOVED
from khib_tui.i18n import _
from khib_tui.image.manifest import Manifest
from khib_tui.jump import back, ownram, start
from khib_tui.linux.syscalls import kexec_load, kexec_unload
from khib_tui.model.cmdline import parameter, split
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.ranges import Ranges
from khib_tui.restorer import restore as restorer
from khib_tui.target.catalog import Found
from khib_tui.target.place import opened

_ROOT = Path("/")
# Of this kernel's loader, or for its place.
_NOT_THESE = ("memmap", "initrd", "BOOT_IMAGE")


def into_region(devices: Sequence[BlockDevice], found: Found, sink: Sink, stop: Stop) -> None:
    """Start C anew inside the image's region if this one is not; does not return then.

    Returns if nothing has to be moved, or cannot be: in a C that was moved, or whose boot entry has no kernel for it.

    :raises KhibError: this machine is not the image's, or the kernel refuses; the image is kept, no disk was written.
    """
    if not can(_ROOT, Words.read()):
        return
    with opened(devices, found.target, read_only=True) as store:
        _, manifest = restorer.examine(store, found.sealer)
    if lies_outside(manifest):
        go(manifest, handed(judged(devices, manifest, sink), found), sink, stop)


def lies_outside(manifest: Manifest) -> bool:
    """Return whether this kernel has RAM where memory is going to be restored."""
    return bool(ownram.system_ram() - manifest.region_ranges)


def judged(devices: Sequence[BlockDevice], manifest: Manifest, sink: Sink) -> Machine:
    """Return this machine, once it is known to be the image's.

    :raises Refused: it is not.
    """
    from khib_tui.facts import probe  # most of it is needed by a C that moves alone

    machine, uname = probe.probe(known=devices), os.uname()
    findings = restorer.mismatches(machine, manifest, (uname.release, uname.version))
    for finding in findings:
        sink(finding)
    refuse(findings)
    return machine


def go(manifest: Manifest, given: tuple[Machine, Moved], sink: Sink, stop: Stop) -> NoReturn:
    """Start C anew inside a region.

    :param given: this machine, and the hand-over.
    :raises KhibError: why not.
    """
    machine, handover = given
    sink(Message(_("this kernel was put elsewhere: it moves into the image's memory region")))
    stop.check()
    load(machine, manifest, moved.pack(handover))
    stop.check()
    stop.too_late()
    back.jump()
    raise Refused(_("the jump returned"), ident="HIB-E-JUMP")


def tried(manifest: Manifest, given: tuple[Machine, Moved], sink: Sink) -> None:
    """Do what comes before the move, and take it back.

    :raises KhibError: why C could not move.
    """
    machine, handover = given
    load(machine, manifest, moved.pack(handover))
    kexec_unload()
    sink(Message(_("this kernel was put elsewhere: to restore, it would move into the image's memory region first")))


def can(root: Path, words: Words) -> bool:
    """Return whether this C may start itself again: it was not started so, and it has its kernel at hand."""
    return not words.moved and not (root / MOVED).exists() and (root / KERNEL).exists()


def handed(machine: Machine, found: Found) -> tuple[Machine, Moved]:
    """Make the hand-over to the second C; gives it behind the machine."""
    key = found.sealer.key.hex() if found.sealer else ""
    return machine, Moved(found.header.image_id, machine.firmware_memmap, machine.dmi, key)


def handed_vmcore(machine: Machine, image_id: str, device: BlockDevice, file: str) -> tuple[Machine, Moved]:
    """Make the hand-over of a vmcore.

    :param file: its path on the device, '' if it is the device.
    """
    place = TargetRef(key_of(device), file)
    return machine, Moved(image_id, machine.firmware_memmap, machine.dmi, vmcore=place)


def words(cmdline: str) -> str:
    """Return the kernel parameters of the second C."""
    kept = [word for word in split(cmdline) if parameter(word)[0] not in _NOT_THESE]
    return " ".join([*kept, f"{PREFIX}moved"])


def load(machine: Machine, manifest: Manifest, handover: bytes, root: Path = _ROOT) -> None:
    """Load kernel and initramfs into the image's region.

    :param handover: what is put behind the initramfs.
    :raises Refused: HIB-E-MOVE, that is not possible.
    """
    from khib_tui.restorer import rootfs

    region = Region(Ranges.of(manifest.ram), manifest.region_ranges)
    with suppress(KhibError):
        kexec_unload()
    try:
        kernel = bzimage.read(root / KERNEL)
        with kernel.path.open("rb") as stream:
            image = mmap.mmap(stream.fileno(), 0, mmap.MAP_PRIVATE)
        initrd = rootfs.archive(handover)
        rootfs.refuse_short(len(initrd) + kernel.payload_size)
        place, segments = start.prepare(
            machine, region, kernel, payload=memoryview(image)[kernel.payload_offset :][: kernel.payload_size],
            initrd=memoryview(initrd), command_line=words(text(root / "proc/cmdline")),
            of_c=data(root / "sys/kernel/boot_params/data"),
        )  # fmt: skip
        kexec_load(place.stub, segments, preserve_context=False)
    except (OSError, KhibError) as error:
        raise Refused(
            _("this kernel lies outside of the image's memory region, and cannot move into it: {error}").format(error=error),
            ident="HIB-E-MOVE",
            hint=_("boot the restore entry that khib wrote, with all of its memmap= words; the image is kept"),
        ) from error
