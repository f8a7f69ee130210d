"""What a C that moves tells the one that it starts: all of it arrives, and only its image's key opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import KhibError
from khib_tui.facts.hardware import Hardware
from khib_tui.handover import moved
from khib_tui.handover.moved import Moved
from khib_tui.handover.place import MOVED
from khib_tui.model import machine
from khib_tui.model.machine import MemoryRange
from khib_tui.seal import crypto
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.keyslots import Cipher, Seal
from tests.kit import MACHINES
from tests.kit.faketree import tree
from tests.kit.newc import members

BIOS = machine.load(MACHINES / "qemu-bios-1g.json")
FACTS = Hardware(BIOS.iomem, BIOS.firmware_memmap, BIOS.cpu, BIOS.dmi, "0x00000001", "digest")
MAP = (MemoryRange(0x1000, 0x9F000, "System RAM"), MemoryRange(1 << 40, (1 << 40) + 4096, "Reserved"))
KEY = crypto.image_key(bytes(32), "aa")
GIVEN = Moved("aa", MAP, {"product_uuid": "u"}, KEY.hex())


def root(tmp_path: Path, given: Moved = GIVEN) -> Path:
    unpacked = members(moved.pack(given))
    assert unpacked[MOVED].mode == 0o100600 and set(unpacked) == {"khib", MOVED}
    return tree(tmp_path, {MOVED: unpacked[MOVED].data})


def test_all_of_it_arrives(tmp_path: Path) -> None:
    assert moved.received(root(tmp_path)) == GIVEN


def test_a_restorer_of_a_boot_loader_has_none(tmp_path: Path) -> None:
    assert moved.received(tmp_path) is None and moved.seen(FACTS, tmp_path) is FACTS
    assert moved.sealer_for(Seal(Cipher.AES, ()), "aa", tmp_path) is None


def test_the_machine_is_what_the_firmware_said_not_what_this_kernel_was_given(tmp_path: Path) -> None:
    seen = moved.seen(FACTS, root(tmp_path))
    assert seen.firmware_memmap == MAP and seen.dmi == {"product_uuid": "u"}
    assert seen._replace(firmware_memmap=FACTS.firmware_memmap, dmi=FACTS.dmi) == FACTS


@pytest.mark.parametrize("cipher", Cipher)
def test_the_key_opens_its_image_and_no_other(tmp_path: Path, cipher: Cipher) -> None:
    there, seal = root(tmp_path), Seal(cipher, ())
    sealed = Sealer(KEY, cipher, "aa").seal(3, True, b"content")
    opener = moved.sealer_for(seal, "aa", there)
    assert opener is not None and opener.open(3, True, sealed) == b"content"
    assert moved.sealer_for(seal, "bb", there) is None
    assert moved.sealer_for(seal, "aa", root(tmp_path, Moved("aa", MAP, {}))) is None


@pytest.mark.parametrize("content", ["", "{", '{"image_id": 1}', "\xff"])
def test_a_damaged_one_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(KhibError) as caught:
        moved.received(tree(tmp_path, {MOVED: content}))
    assert caught.value.ident == "HIB-E-HANDOVER"
