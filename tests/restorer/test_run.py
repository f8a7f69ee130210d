"""What C does from its start to the jump."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import msgspec
import pytest

from khib_tui.commands import restore as command
from khib_tui.errors import Refused
from khib_tui.facts import blockdev
from khib_tui.handover.cmdline import Words
from khib_tui.image.header import Header, State
from khib_tui.jump import ownram
from khib_tui.model.identity import key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint
from khib_tui.restorer import run as kernel_c
from khib_tui.restorer import vmcore_run
from khib_tui.seal.keyslots import Cipher, Seal
from khib_tui.target import catalog, guard
from tests.kit.faketree import tree


def test_where_images_are_sealed_no_other_is_resumed() -> None:
    unsealed = Header("aa", State.COMPLETE, 1)
    kernel_c.refuse_unsealed(unsealed, sealed=False)
    kernel_c.refuse_unsealed(msgspec.structs.replace(unsealed, seal=Seal(Cipher.AES, ())), sealed=True)
    with pytest.raises(Refused) as caught:
        kernel_c.refuse_unsealed(unsealed, Words.parse("quiet khib.sealed khib.countdown=3").sealed)
    assert caught.value.ident == "HIB-E-UNSEALED"


ROOT, HOME = BlockDevice("sda", 8, "disk", serial="A"), BlockDevice("sdb", 8, "disk", serial="B", unit="1")
STICK, TARGET = BlockDevice("sdc", 8, "disk", serial="C"), BlockDevice("sdd", 8, "disk", serial="D")


def printed(device: BlockDevice, *, unit: str | None, needed: bool = True) -> DiskPrint:
    """What an image says of a device."""
    return DiskPrint(device.name, "", 0, device.size, device.serial, "", "x", unit, needed)


@pytest.mark.parametrize("old", [False, True])
def test_the_disks_that_the_system_used_and_the_image_are_waited_for(monkeypatch: pytest.MonkeyPatch, old: bool) -> None:
    """An image that is older than units takes a device with one."""
    looks = [(ROOT,), (ROOT, HOME), (ROOT, HOME, TARGET), (ROOT, HOME, TARGET, STICK)]
    monkeypatch.setattr(blockdev, "devices", lambda: looks.pop(0))
    monkeypatch.setattr(guard, "_PAUSE", 0.0)
    before = [printed(item, unit=None if old else item.unit) for item in (ROOT, HOME)]
    before += [] if old else [printed(STICK, unit="", needed=False)]
    assert kernel_c.all_disks(before, [key_of(TARGET)]) == (ROOT, HOME, TARGET)
    assert len(looks) == 1


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel that took memory which its words did not give it, on a machine where nothing may be looked for."""
    words = "memmap=exactmap memmap=0x9e000@0x1000 memmap=0xb000000@0x1000000"
    iomem = "00001000-0009efff : System RAM\n01000000-0bffffff : System RAM\n100000000-13fffffff : System RAM\n"
    root = tree(tmp_path, {"proc/iomem": iomem, "proc/cmdline": words})
    real = ownram.refuse_beyond_words
    monkeypatch.setattr(ownram, "refuse_beyond_words", lambda: real(root))
    for module, name in ((kernel_c, "find"), (catalog, "find"), (vmcore_run, "find"), (blockdev, "devices")):
        monkeypatch.setattr(module, name, lambda *_: 1 / 0)


@pytest.mark.usefixtures("plugged")
def test_a_kernel_with_foreign_memory_looks_for_no_image() -> None:
    arguments = Namespace(vmcore="/x", image="", entry="", gdt="", yes=True, dry_run=False, key_file="")
    for go in (
        lambda: kernel_c.run(lambda *_: None, "", "", lambda found: found),
        lambda: command.try_out(arguments, Words(), lambda event: None),
        lambda: vmcore_run.run(arguments, lambda event: None, lambda *_: None, lambda text: None),
    ):
        with pytest.raises(Refused) as caught:
            go()
        assert caught.value.ident == "HIB-E-REGION-RAM"
