"""Whether a swap can be lent to the image, on layouts from public reports, and whether what is in it fits into memory."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide import room, swapplace
from khib_tui.decide.choice import decide, judge
from khib_tui.decide.target import candidates, refusals
from khib_tui.errors import Refused, UsageError
from khib_tui.events.types import Severity
from khib_tui.model import target as targets
from khib_tui.model.machine import Machine, Swap
from khib_tui.model.settings import Settings
from khib_tui.model.target import LENT_SWAP, Kind, Target
from khib_tui.model.units import GIB, MIB
from tests.kit.machines import BIOS, changed, field

LUKS, ZRAM = field("26-luks-lvm-nothing-free"), field("29-swap-and-zram")
UUID = "6f9c7d1e-2c43-4d5b-9a51-3b6c1f0f2a32"


def with_swap(used: int = 0, **more: object) -> Machine:
    """A machine whose vdb1 is a swap with so much in it."""
    part = next(item for item in BIOS.devices if item.name == "vdb1")
    given = {"swap": True, "swaps": (Swap(part.size, used),), "fstype": "swap", "uuid": UUID, **more}
    return changed(BIOS, "vdb1", **given)


def with_file(used: int = 0, size: int = 8 * GIB) -> Machine:
    """A machine with a swap file on its root."""
    root = next(item for item in BIOS.devices if "/" in item.mounts)
    return changed(BIOS, root.name, swaps=(Swap(size, used, "/swapfile"),), size=32 * GIB)


def resolved(machine: Machine, text: str = "swap") -> Target:
    return targets.resolved(targets.parse(text), machine.devices)


def idents(machine: Machine, target: Target, need: int = GIB) -> list[str]:
    return [item.ident.removeprefix("HIB-E-TARGET-") for item in refusals(machine, target, need)]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("swap", Target("", swap=True)), ("swap:/dev/sda2", Target("/dev/sda2", swap=True)),
        (f"swap:UUID={UUID}", Target(f"/dev/disk/by-uuid/{UUID}", swap=True)),
        ("swap:/swapfile", Target("", "/swapfile", swap=True)),
        ("swap:/var/swap/file.1", Target("", "/var/swap/file.1", swap=True)),
    ],
)  # fmt: skip
def test_it_is_spelled_as_device_file_or_the_only_one(text: str, target: Target) -> None:
    assert targets.parse(text) == target and target.kind is Kind.SWAP and target.beneath
    assert targets.parse(str(target)) == target


@pytest.mark.parametrize(
    "text", ["swap:", "swap:sda2", "swap:/a b", "swap:/../x", "swap:/dev/sda2:/file", "swap:/a;b", "swaps"]
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        targets.parse(text)
    assert caught.value.ident == "HIB-E-TARGET"


def test_the_only_one_is_found_and_none_or_several_are_said() -> None:
    assert resolved(with_swap()) == Target("/dev/vdb1", swap=True)
    assert resolved(with_file()).path == "/swapfile" and resolved(with_file()).device
    assert resolved(ZRAM) == Target("/dev/nvme0n1p5", swap=True)
    off = changed(BIOS, "vdb1", fstype=LENT_SWAP)
    assert resolved(off) == Target("/dev/vdb1", swap=True)
    with pytest.raises(Refused) as caught:
        resolved(BIOS)
    assert caught.value.ident == "HIB-E-TARGET-MISSING"
    with pytest.raises(Refused, match="2 swaps") as caught:
        resolved(changed(with_swap(), "vdb2", swap=True))
    assert caught.value.ident == "HIB-E-TARGET-DUPLICATE" and "swap:/dev/vdb1" in str(caught.value.hint)


def test_it_is_kept_by_its_uuid() -> None:
    machine = with_swap()
    assert targets.lasting(resolved(machine), machine.devices) == f"swap:/dev/disk/by-uuid/{UUID}"
    assert resolved(machine, f"swap:UUID={UUID}") == resolved(machine)
    assert targets.lasting(resolved(with_file()), with_file().devices) == "swap:/swapfile"


def test_swaps_are_listed_beside_other_places() -> None:
    found = {str(target): reasons for target, reasons in candidates(with_swap(), GIB)}
    assert found["swap:/dev/vdb1"] == [] and [item.ident for item in found["/dev/vdb1"]] == ["HIB-E-TARGET-SWAP"]
    assert "--target swap:/dev/vdb1" in found["/dev/vdb1"][0].fix
    assert not any("zram" in str(target) for target, _ in candidates(ZRAM, GIB) if target.swap)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []), ({"swap": False, "swaps": ()}, []), ({"swap": False, "swaps": (), "fstype": LENT_SWAP}, []),
        ({"swap": False, "swaps": (), "fstype": "ext4"}, ["FOREIGN"]),
        ({"swap": False, "swaps": (), "fstype": "swsuspend"}, ["FOREIGN"]),
        ({"read_only": True}, ["READONLY"]), ({"kind": "zram"}, ["RAM"]), ({"kind": "md"}, ["STACK"]),
        ({"slaves": ("vda1", "vdb2"), "kind": "dm"}, ["STACK"]), ({"swaps": (Swap(100 * MIB, 0),)}, ["SMALL"]),
        ({"mounts": ("/srv",)}, ["MOUNTED"]),
    ],
)  # fmt: skip
def test_what_cannot_be_lent_says_why(change: dict[str, object], expected: list[str]) -> None:
    machine = with_swap(**change)  # type: ignore[arg-type]
    assert idents(machine, Target("/dev/vdb1", swap=True)) == expected


def test_a_file_must_lie_on_a_filesystem_that_can_be_written_beneath() -> None:
    assert idents(with_file(), resolved(with_file())) == []
    root = next(item for item in BIOS.devices if "/" in item.mounts)
    other = changed(with_file(), root.name, fstype="f2fs")
    assert idents(other, resolved(other)) == ["FILESYSTEM"]
    assert idents(with_file(size=MIB), resolved(with_file(size=MIB))) == ["SMALL"]
    assert idents(BIOS, Target("", "/run/x", swap=True)) == ["MISSING"]


def test_what_is_swapped_out_must_fit_beside_the_saver() -> None:
    machine = with_swap(300 * MIB)
    target, saver = resolved(machine), 200 * MIB
    enough = msgspec.structs.replace(machine, mem_available=300 * MIB + saver + swapplace.ROOM)
    less = msgspec.structs.replace(enough, mem_available=enough.mem_available - 1)
    assert not swapplace.pressing(enough, target, saver)
    (found,) = swapplace.pressing(less, target, saver)
    assert found.ident == "HIB-E-SWAP-FULL" and found.severity is Severity.BLOCKER and "300.0 MiB" in found.what
    assert not swapplace.pressing(msgspec.structs.replace(less, devices=with_swap().devices), target, saver)


def test_a_hibernation_is_refused_while_too_much_is_swapped_out_and_set_up_is_not() -> None:
    machine, settings = with_swap(8 * GIB), Settings(target="swap", boot_dir="/boot")
    with pytest.raises(Refused) as caught:
        decide(machine, settings)
    assert caught.value.ident == "HIB-E-SWAP-FULL"
    choice = decide(machine, settings, need_memory=False)
    assert choice.target == Target("/dev/vdb1", swap=True)
    assert any("8.0 GiB come back" in item.what for item in choice.findings if item.ident == "HIB-E-SWAP-FULL")
    assert any(item.ident == "HIB-E-SWAP-FULL" for item in judge(machine, settings))


def test_what_comes_back_counts_for_the_room() -> None:
    machine = msgspec.structs.replace(with_swap(100 * MIB), mem_free=600 * MIB)
    target, most = resolved(machine), 2 * GIB
    assert room.needed(machine, target, most) == min(room.likely(machine, most) + 100 * MIB, most)


def test_a_volume_on_luks_needs_a_seal() -> None:
    settings = Settings(target="swap", boot_dir="/boot")
    with pytest.raises(Refused) as caught:
        decide(LUKS, settings)
    assert caught.value.ident == "HIB-E-TARGET-SEAL" and "encrypted" in caught.value.message
    target = decide(LUKS, settings, sealed=True).target
    assert target == Target("/dev/dm-2", swap=True)
    leaf = targets.under(LUKS.devices, target)
    assert leaf is not None and leaf.kind == "partition"


def test_a_plain_name_of_an_unknown_device_is_missing() -> None:
    assert idents(BIOS, Target("/dev/sdz9", swap=True)) == ["MISSING"]
    assert swapplace.swap_of(BIOS, Target("/dev/sdz9", swap=True)) is None
