"""What may be done with free pages."""

from __future__ import annotations

import msgspec

from khib_tui.decide.freepages import policy
from khib_tui.handover.handover import FreePages
from khib_tui.model import machine
from tests.kit import MACHINES


def test_what_may_be_done_with_free_pages() -> None:
    plain = msgspec.structs.replace(
        machine.load(MACHINES / "qemu-bios-1g.json"),
        config={"KEXEC": "y"},
        init_on_free=False,
        page_poison=False,
    )
    assert policy(plain) is FreePages.LEAVE_OUT
    assert policy(msgspec.structs.replace(plain, init_on_free=True)) is FreePages.ZERO
    assert policy(msgspec.structs.replace(plain, config={})) is FreePages.ZERO
    assert policy(msgspec.structs.replace(plain, page_poison=True, init_on_free=True)) is FreePages.SAVE
