"""A file of A's own filesystem as the image's place: which filesystems, on what, and what it takes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from khib_tui.decide.content import stop
from khib_tui.decide.ramdisk import made_of_ram
from khib_tui.events.types import Finding
from khib_tui.i18n import _
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.target import OWN_FILE_SYSTEMS, Target
from khib_tui.model.units import size

NAME = "hibernate.khib"
# Where people keep large files, besides the root.
PLACES = ("/", "/home", "/var", "/srv")


def refusals(machine: Machine, target: Target, need_bytes: int) -> list[Finding]:
    """Return why a file for an image of `need_bytes` cannot lie there; all blockers, empty if it can."""
    device = machine.device(target.device)
    if device is None:
        what = _("{target} is on no disk of this machine").format(target=target.path)
        return [stop("MISSING", what, _("the saver writes to disks only"), _("choose a place on one"))]
    return [*_filesystem(machine, device), *_below(machine, target), *_limits(device, need_bytes)]


def unsealed(machine: Machine, target: Target) -> list[Finding]:
    """Return that the image must be sealed there, for nothing else encrypts it: the filesystem's encryption is passed by."""
    device = machine.device(target.device)
    crypt = _encrypted(machine.devices, device) if device else ""
    if not crypt:
        return []
    what = _("{target} lies on the encrypted {crypt}, and the image would not be encrypted").format(
        target=target.name, crypt=crypt
    )
    return [stop("SEAL", what, _("all memory would be readable on the disk"), _("make a seal first: khib seal"))]


def candidates(machine: Machine) -> list[Target]:
    """List a file on the root, and on each other filesystem where people keep large files."""
    points = {point for device in machine.devices for point in device.mounts}
    paths = [f"{point.rstrip('/')}/{NAME}" for point in PLACES if point in points]
    return [targets.resolved(Target("", path, own=True), machine.devices) for path in paths]


def _filesystem(machine: Machine, device: BlockDevice) -> Iterator[Finding]:
    if device.fstype not in OWN_FILE_SYSTEMS:
        what = _("{device} holds {content}").format(
            device=device.path, content=device.fstype or _("no filesystem that is known")
        )
        why = _("a file that is written beneath its filesystem can be on {kinds} only").format(
            kinds=", ".join(OWN_FILE_SYSTEMS)
        )
        yield stop("FILESYSTEM", what, why, _("choose another place"))
    if made_of_ram(machine, device):
        yield stop(
            "RAM",
            _("{device} is made of memory").format(device=device.path),
            _("what is on it is gone when the power goes"),
            _("choose a disk"),
        )


def _below(machine: Machine, target: Target) -> Iterator[Finding]:
    leaf = targets.under(machine.devices, target)
    if leaf is None or leaf.kind not in ("disk", "partition"):
        what = _("{target} lies on several disks, or on something that is no disk").format(target=target.path)
        why = _("the saver writes to one disk, past all that lies above it")
        yield stop("STACK", what, why, _("choose a place on one disk, or an empty partition"))


def _limits(device: BlockDevice, need_bytes: int) -> Iterator[Finding]:
    if device.read_only:
        yield stop(
            "READONLY",
            _("{device} is read-only").format(device=device.path),
            _("the file cannot be made"),
            _("choose another place"),
        )
    if device.size < need_bytes:
        what = _("{device} has {size}, the image may need {needed}").format(
            device=device.path, size=size(device.size), needed=size(need_bytes)
        )
        yield stop("SMALL", what, _("the file would not fit"), _("choose a larger one"))


def _encrypted(devices: Sequence[BlockDevice], device: BlockDevice) -> str:
    """Return the name of what is encrypted at or below a device; '' if nothing is."""
    if device.fstype == "crypto_LUKS":
        return device.path
    below = [item for item in devices if item.name in device.slaves]
    return next(filter(None, (_encrypted(devices, item) for item in below)), "")
