"""What C does from its start to the jump."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from khib_tui.commands import restore as command
from khib_tui.errors import Refused
from khib_tui.facts import blockdev
from khib_tui.handover.cmdline import Words
from khib_tui.image.header import Header, State
from khib_tui.jump import ownram
from khib_tui.model import identity
from khib_tui.model.identity import key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint
from khib_tui.prints import take
from khib_tui.restorer import move, vmcore_run
from khib_tui.restorer import restore as restorer
from khib_tui.restorer import run as kernel_c
from khib_tui.seal.keyslots import Cipher, Seal
from khib_tui.target import catalog, guard
from tests.kit.faketree import tree
from tests.kit.saved import nothing
from tests.restorer.test_move import EVERYWHERE, FOUND
from tests.restorer.test_restore import MANIFEST, C


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
        lambda: kernel_c.run(lambda *_: None, "", "", lambda found: found, lambda text: None),
        lambda: command.try_out(arguments, Words(), lambda event: None),
        lambda: vmcore_run.run(arguments, lambda event: None, lambda *_: None, lambda text: None),
    ):
        with pytest.raises(Refused) as caught:
            go()
        assert caught.value.ident == "HIB-E-REGION-RAM"


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A kernel beside the image's region, on the right machine; what it does about that."""
    done: list[str] = []
    monkeypatch.setattr(kernel_c, "opened", lambda *_: nullcontext())
    monkeypatch.setattr(restorer, "examine", lambda *_: (FOUND.header, MANIFEST))
    monkeypatch.setattr(restorer, "mismatches", lambda *_: [])
    monkeypatch.setattr(kernel_c, "compare", lambda *_: [])
    monkeypatch.setattr(kernel_c, "all_disks", lambda *_: [])
    for name in ("protect", "others"):
        monkeypatch.setattr(guard, name, lambda *_: [])
    monkeypatch.setattr(take, "again", lambda *_: [])
    monkeypatch.setattr(identity, "find", lambda *_: None)
    monkeypatch.setattr(kernel_c, "read_hardware", lambda: C)
    monkeypatch.setattr(ownram, "system_ram", lambda *_: EVERYWHERE)
    monkeypatch.setattr(move, "judged", lambda *_: C)
    monkeypatch.setattr(move, "tried", lambda *_: done.append("tried"))
    return done


@pytest.mark.parametrize(("trial", "can", "told"), [(True, True, ["tried"]), (True, False, []), (False, True, [])])
def test_a_dry_run_sees_whether_the_kernel_could_move_and_a_resume_that_did_not_is_refused(
    beside: list[str], monkeypatch: pytest.MonkeyPatch, trial: bool, can: bool, told: list[str]
) -> None:
    monkeypatch.setattr(move, "can", lambda *_: can)
    expected = nullcontext() if told else pytest.raises(Refused, match="outside of its region")
    with expected, kernel_c.prepared([], FOUND, nothing, trial=trial):
        pass
    assert beside == told
