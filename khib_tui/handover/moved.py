"""What a C that moves itself into the region gives the C that it starts there: in memory only, behind its initramfs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from khib_tui import files
from khib_tui.errors import KhibError
from khib_tui.facts.hardware import Hardware
from khib_tui.formats.cpio import Entry, archive
from khib_tui.handover.place import MOVED
from khib_tui.i18n import _
from khib_tui.model import jsontext
from khib_tui.model.identity import TargetRef
from khib_tui.model.machine import MemoryRange
from khib_tui.model.units import MIB
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.keyslots import Seal

MAX_SIZE = 4 * MIB
_ROOT = Path("/")


class Moved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hand-over: which image is resumed, and what only a kernel that the firmware started can know of the machine.

    `key` is the key of this one image in hexadecimal, empty if it is not sealed; it opens no other. `vmcore` is where an
    export of the image lies that is restored instead of it.
    """

    image_id: str
    firmware_memmap: tuple[MemoryRange, ...]
    dmi: dict[str, str]
    key: str = ""
    vmcore: TargetRef | None = None


def pack(moved: Moved) -> bytes:
    """Make the archive that the second C finds as `/khib/moved.json`."""
    return archive([Entry(str(Path(MOVED).parent), 0o040700), Entry(MOVED, 0o100600, msgspec.json.encode(moved))])


def received(root: Path = _ROOT) -> Moved | None:
    """Read the hand-over; None in a C that was started by a boot loader.

    :raises KhibError: it is damaged.
    """
    path = root / MOVED
    if not path.exists():
        return None
    try:
        return jsontext.decode(files.read(path, MAX_SIZE), Moved)
    except (OSError, msgspec.DecodeError) as error:
        raise KhibError(
            _("the hand-over of the first restorer is damaged: {error}").format(error=error), ident="HIB-E-HANDOVER"
        ) from error


def seen(hardware: Hardware, root: Path = _ROOT) -> Hardware:
    """Return the hardware as the firmware describes it: the memory map that this kernel was given may be another one."""
    given = received(root)
    return hardware if given is None else hardware._replace(firmware_memmap=given.firmware_memmap, dmi=given.dmi)


def sealer_for(seal: Seal, image_id: str, root: Path = _ROOT) -> Sealer | None:
    """Return what opens a sealed image, if the first C was told; None where a person has to be asked."""
    given = received(root)
    if given is None or not given.key or given.image_id != image_id:
        return None
    return Sealer(bytes.fromhex(given.key), seal.cipher, image_id)
