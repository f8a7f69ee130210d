"""The images on a machine's disks, for people: listing, choosing, describing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from khib_tui.errors import ImageError, KhibError
from khib_tui.facts import blockdev
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image import marks, ranges
from khib_tui.image.header import Header, State
from khib_tui.image.ranges import Ranged
from khib_tui.image.store import Store
from khib_tui.model import identity
from khib_tui.model import target as targets
from khib_tui.model.identity import TargetRef
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.remote import is_remote
from khib_tui.model.target import Kind, Target
from khib_tui.model.units import duration, size, when
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.keyslots import describe
from khib_tui.target import catalog
from khib_tui.target.place import mounted, opened

# Seconds: for any image; for a better one than those that cannot be resumed; before anybody is told. USB takes its time.
WAIT_FOR_PLACE, WAIT_FOR_OTHERS, SILENT = 120.0, 4.0, 8.0


def images(machine: Machine, file_target: str = "") -> list[Found]:
    """Find all images; a file is only found if the settings name it."""
    word = ""
    if is_remote(file_target):
        word = file_target
    elif file_target:
        word = _word(targets.resolved(targets.parse(file_target), machine.devices), machine)
    return search(machine.devices, word)


def _word(target: Target, machine: Machine) -> str:
    """Return what a boot entry would name a file by, '' for a partition or what is not there."""
    if target.kind is Kind.FILE and machine.device(target.device):
        return targets.word(target, machine)
    if target.kind is Kind.OWN:
        from khib_tui.target import ownfile  # C, which lists nothing, does without

        with suppress(KhibError, OSError):
            there = ownfile.located(Path(target.path), machine.devices, 0, sealed=True)
            return targets.place_word(identity.find(machine.devices, there.key), there.spans[0][0])
    if target.kind is Kind.SWAP:
        from khib_tui.target import swap

        with suppress(KhibError, OSError):
            if not swap.active(target):  # else A swaps there, and what is left of an image is none
                there = swap.located(target, machine.devices, sealed=True).place
                return targets.place_word(identity.find(machine.devices, there.key), there.spans[0][0])
    return ""


def none_found(machine: Machine) -> str:
    """Return why no image is listed: there is none, or the disks could not be read."""
    unread = [device.path for device in machine.devices if not device.readable and device.kind in ("disk", "partition")]
    if not machine.root:
        return _("nothing could be read: run as root to see images")
    if unread:
        return _("no image on any disk that could be read; not read: {disks}").format(disks=", ".join(unread))
    return _("no image on any disk")


def line(item: Found) -> str:
    """Format an image in one line."""
    header = item.header
    created = when(header.created)
    amount = (
        _(", {size} of {total} RAM").format(size=size(header.image_bytes), total=size(header.ram_bytes))
        if header.image_bytes
        else ""
    )
    reason = f" ({_(header.reason)})" if header.reason else ""
    sealed = _(", sealed") if header.seal else ""
    return f"{item.where}: {_(header.state)}{reason}, {header.host or '?'}, {created}{amount}{sealed}"


def facts(item: Found) -> dict[str, Any]:
    """Return an image's header for JSON, without its keyslots."""
    plain = msgspec.structs.replace(item.header, seal=None)
    cipher = str(item.header.seal.cipher) if item.header.seal else None
    return {"where": item.where, **msgspec.to_builtins(plain), "seal": cipher}


def info(item: Found, store: Store, sealer: Sealer | None = None) -> dict[str, Any]:
    """Return what a person wants to know about an image, by names to be translated.

    Of a sealed one, without its sealer, it is what the header says.

    :raises ImageError: the manifest is damaged.
    """
    data: dict[str, Any] = {N_("where"): item.where, N_("state"): _(item.header.state), N_("id"): item.header.image_id}
    data |= {N_("host"): item.header.host, N_("kernel"): item.header.release}
    data[N_("created")] = when(item.header.created, "%Y-%m-%d %H:%M:%S")
    data[N_("sealed")] = describe(item.header.seal)
    if not item.header.manifest_size:
        return data
    if item.header.seal and sealer is None:
        return data | {N_("memory"): size(item.header.ram_bytes), N_("image"): size(item.header.image_bytes)}
    manifest = manifests.read(store, item.header, sealer)
    data |= {
        N_("memory"): size(manifest.saved_ranges.total + manifest.region_ranges.total),
        N_("content"): size(manifest.raw_size),
        N_("image"): size(item.header.image_bytes),
        N_("codec"): str(manifest.codec),
        N_("frames"): manifest.frames,
        N_("saved in"): duration(manifest.save_seconds),
        N_("saver"): manifest.saver_release,
        N_("processor"): manifest.cpu.model,
        N_("disks"): ", ".join(disk.name for disk in manifest.disks),
    }
    return data


class Found(Struct, frozen=True):
    """An image, wherever it lies; `sealer` is there once a sealed one was opened."""

    target: TargetRef
    where: str
    header: Header
    sealer: Sealer | None = None


def search(devices: Sequence[BlockDevice], word: str = "") -> list[Found]:
    """Look for images on all partitions and disks, and in the file that a boot entry names.

    :param word: a file as `targets.word`, `targets.place_word` or `Remote.word` spells it, `/dev/NAME:/PATH`; '' for none.
    """
    found = _on_disks(devices)
    with suppress(KhibError):
        found += _named(devices, word)
    return found


def _on_disks(devices: Sequence[BlockDevice]) -> list[Found]:
    found = []
    for device in devices:
        if device.fstype == "khib":
            target = TargetRef(identity.key_of(device))
            found += [Found(target, device.path, header) for header in _header(Path(device.path))]
    return found


def _named(devices: Sequence[BlockDevice], word: str) -> list[Found]:
    """Return the image in the file that a word names, as a list of one, or of none.

    :raises KhibError: what it lies on cannot be reached.
    """
    if not word:
        return []
    target = targets.from_word(word, devices)
    if target.remote:
        with opened(devices, target, read_only=True) as store:
            there = [header for header in (headers.read_or_given_up(store),) if header]
        return [Found(target, str(target.remote), header) for header in there]
    device = identity.find(devices, target.key)
    if target.spans:
        return _in_ranges(device, target.spans[0][0])
    if not target.path or device.mounts:
        return []
    with mounted(device, read_only=True) as root:
        there = _header(root / target.path.lstrip("/"), root)
    return [Found(target, f"{device.path}:{target.path}", header) for header in there]


def _in_ranges(device: BlockDevice, first: int) -> list[Found]:
    """Return the image in ranges whose first one begins at a byte of a device, as a list of one, or of none."""
    spans = ranges.found_at(Path(device.path), first)
    with Ranged(Path(device.path), spans) as store:
        header = headers.read_or_given_up(store)
    target = TargetRef(identity.key_of(device), spans=spans)
    return [Found(target, f"{device.path}+{first}", header)] if header else []


def _header(path: Path, root: Path | None = None) -> list[Header]:
    """Return the header of an image as a list of one, or of none."""
    try:
        with Store(path, root=root) as store:
            header = headers.read_or_given_up(store)
    except KhibError:
        return []
    return [header] if header else []


def choose(found: Sequence[Found], wanted: str = "") -> Found:
    """Pick the image to resume: the one asked for, or the only complete one.

    :raises ImageError: there is none, it was used before, or there are several.
    """
    if wanted:
        found = [item for item in found if wanted in (item.where, item.header.image_id)]
    complete = [item for item in found if item.header.state is State.COMPLETE]
    if len(complete) == 1:
        return complete[0]
    if complete:
        listed = ", ".join(f"{item.where} ({item.header.host})" for item in complete)
        raise ImageError(
            _("there are {count} images: {listed}").format(count=len(complete), listed=listed), ident="HIB-E-TWO-IMAGES",
            hint=_("say which one: khib restore --image DEVICE"),
        )  # fmt: skip
    for item in found:
        catalog.refuse_state(item.header)
    raise ImageError(
        _("there is no image on {wanted}").format(wanted=wanted) if wanted else _("there is no image"),
        hint=_("plug in the disk it lies on, or boot normally"),
        ident="HIB-E-NO-IMAGE",
    )


def find(
    wanted: str, word: str, told: Callable[[str], None] = lambda text: None, seconds: float = WAIT_FOR_PLACE
) -> tuple[Sequence[BlockDevice], Found]:
    """Search until an image that can be resumed is there, or time is over.

    :param told: is told once what is waited for.
    :raises ImageError: as `choose` says.
    :raises KhibError: the place that the boot entry names cannot be reached, and why.
    """
    began, silent = time.monotonic(), True
    while True:
        devices, failure = blockdev.devices(), None
        found = _on_disks(devices)
        try:
            found += _named(devices, word)
        except KhibError as error:
            failure = error
        waited = time.monotonic() - began
        complete = any(item.header.state is State.COMPLETE for item in found)
        # The place that is named is there, and has none: only another disk could have one.
        most = min(seconds, blockdev.WAIT_FOR_DISKS) if word and not failure else seconds
        if complete or (found and waited > WAIT_FOR_OTHERS) or waited > most:
            if failure and not found and is_remote(word):
                raise failure
            return devices, choose(found, wanted)
        if silent and waited > min(SILENT, seconds):
            told(waiting(word, failure))
            silent = False
        time.sleep(0.5)


def waiting(word: str, failure: KhibError | None) -> str:
    """Say what is waited for."""
    if is_remote(word):
        text = _("the other machine with the image does not answer yet ({reason}): see that it is on; I go on trying")
        return text.format(reason=failure.message if failure else _("it has no image"))
    return _("no image yet: if it is on a disk that can be unplugged, plug it in; I go on looking")


def refuse_state(header: Header) -> None:
    """Refuse an image that is not complete and unused.

    :raises ImageError: saying what became of it.
    """
    texts = {
        State.PARTIAL: _("saving it was cut short"),
        State.CLAIMED: _("it was resumed before"),
        State.DONE: _("it was resumed before"),
        State.ABANDONED: _("it was given up{reason}").format(reason=": " + _(header.reason) if header.reason else ""),
    }
    if header.state is State.ABANDONED and header.reason == marks.REASON:
        raise ImageError(
            _("the image cannot be resumed: it was {reason}, which has written to its disks since").format(
                reason=_(marks.REASON)
            ),
            hint=_("boot normally; what is saved there can still be read with `khib image export`"),
            ident="HIB-E-IMAGE-GIVEN-UP",
        )
    if header.state is not State.COMPLETE:
        raise ImageError(
            _("the image cannot be resumed: {reason}").format(reason=texts[header.state]), hint=_("boot normally"),
            ident=f"HIB-E-IMAGE-{header.state.name}",
        )  # fmt: skip
