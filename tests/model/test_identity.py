"""Devices are known by what they are, not by their names."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import Refused
from khib_tui.model import identity
from khib_tui.model.identity import DeviceKey
from tests.kit.machines import BIOS, LAPTOP, device


def test_find_by_identity_not_by_name() -> None:
    key = identity.key_of(device(BIOS, "vdb1"))
    renamed = [msgspec.structs.replace(item, name=item.name.replace("vdb", "sdz")) for item in BIOS.devices]
    assert identity.find(renamed, key).name == "sdz1"


@pytest.mark.parametrize("field", ["disk_id", "start", "size", "serial"])
def test_find_wants_every_part_of_the_identity(field: str) -> None:
    key = identity.key_of(device(BIOS, "vdb1"))
    other = msgspec.structs.replace(key, **{field: 1 if field in ("start", "size") else "other"})
    with pytest.raises(Refused) as caught:
        identity.find(BIOS.devices, other)
    assert caught.value.ident == "HIB-E-TARGET-MISSING"


def test_find_refuses_a_clone() -> None:
    original = device(BIOS, "vdb1")
    clone = msgspec.structs.replace(original, name="vdc1")
    with pytest.raises(Refused, match="/dev/vdb1 and /dev/vdc1") as caught:
        identity.find([*BIOS.devices, clone], identity.key_of(original))
    assert caught.value.ident == "HIB-E-TARGET-DUPLICATE"
    other_serial = msgspec.structs.replace(clone, serial="another")
    assert identity.find([other_serial, *BIOS.devices], identity.key_of(original)) == original


def test_key_survives_json() -> None:
    key = identity.key_of(device(LAPTOP, "nvme0n1p4"))
    assert msgspec.json.decode(msgspec.json.encode(key), type=DeviceKey) == key
