"""What A gives B: a file in an archive appended to B's initramfs, made in memory, never on a disk or command line."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from khib_tui import files
from khib_tui.errors import KhibError
from khib_tui.formats.cpio import Entry, archive
from khib_tui.handover.place import PATH as PATH
from khib_tui.i18n import _
from khib_tui.model import jsontext
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.identity import TargetRef
from khib_tui.model.machine import SignatureRule
from khib_tui.model.origin import Origin, Used
from khib_tui.model.units import MIB
from khib_tui.seal.keyslots import Seal

MAX_SIZE = 16 * MIB


class Mode(StrEnum):
    """What B is to do; the first two come straight back to A."""

    REHEARSE = "rehearse"
    REHEARSE_SAVE = "rehearse-save"
    SAVE = "save"

    @property
    def saves(self) -> bool:
        """Whether an image is written."""
        return self is not Mode.REHEARSE


class FreePages(StrEnum):
    """Free pages are left as they are found, made zero at the restore, or saved like all others."""

    LEAVE_OUT = "leave-out"
    ZERO = "zero"
    SAVE = "save"


class Handover(Origin, frozen=True, forbid_unknown_fields=True):
    """The hand-over. Addresses are physical but for `gdt` and `page_offset`, which are virtual addresses of A.

    `wake` is when the machine's clock is to wake it, in that clock's own seconds since 1970; 0 for never.
    `events` is a device for JSON events, or empty.
    `used` are all disks that A uses, which B waits for, protects and takes the prints of.
    `key` is the key of this one image in hexadecimal; it opens no other. `setup_id` is what A's boot loader knows A by.
    `dead` is the identity of an image in the target's place that A has swapped over since: it may be written over.
    `later` tells the user how to go on after the machine went off.
    """

    mode: Mode
    mailbox: int
    gdt: int
    report_page: int
    cookie: str
    page_offset: int
    vmcoreinfo: str
    target: TargetRef | None
    used: tuple[Used, ...] = ()
    codec: CodecChoice = CodecChoice.AUTO
    free_pages: FreePages = FreePages.SAVE
    verify: bool = False
    after: After = After.POWEROFF
    wake: int = 0
    events: str = ""
    plain: bool = False
    seal: Seal | None = None
    key: str = ""
    hardware_signature: str = ""
    signature_rule: SignatureRule = SignatureRule.WARN
    setup_id: str = ""
    acpi_tables: str = ""
    dead: str = ""
    later: str = ""


def pack(handover: Handover) -> bytes:
    """Make the archive that B finds as `/khib/handover.json`."""
    data = msgspec.json.encode(handover)
    return archive([Entry("khib", 0o040700), Entry(PATH, 0o100600, data)])


def receive(root: Path = Path("/")) -> Handover:
    """Read the hand-over in B.

    :raises KhibError: this kernel was not entered from A.
    """
    try:
        return jsontext.decode(files.read(root / PATH, MAX_SIZE), Handover)
    except (OSError, msgspec.DecodeError) as error:
        raise KhibError(
            _("there is no hand-over from the hibernating system: {error}").format(error=error), ident="HIB-E-HANDOVER"
        ) from error
