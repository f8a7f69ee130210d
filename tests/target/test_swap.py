"""A swap of A's below the image: where it lies, whether it is on, and what the system's programs are asked for."""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from khib_tui import runner
from khib_tui.errors import CommandFailed, Refused
from khib_tui.facts.usage import ActiveSwap
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import Header, State
from khib_tui.linux import extents
from khib_tui.linux.extents import Extent
from khib_tui.model.identity import key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.target import Target
from khib_tui.model.units import KIB, MIB, PAGE
from khib_tui.prints.stack import Member, Segment, Stack, Way
from khib_tui.target import beneath, swap, swapheader
from tests.kit import swaps

SIZE = 16 * MIB


@pytest.fixture
def area(tmp_path: Path) -> Path:
    """A swap that mkswap made, in a file that may stand for a device."""
    return swaps.made(tmp_path / "swap", SIZE)


@pytest.fixture
def part(area: Path, monkeypatch: pytest.MonkeyPatch) -> BlockDevice:
    """A partition whose node is that file."""
    monkeypatch.setattr(BlockDevice, "path", os.fspath(area))
    monkeypatch.setattr(beneath, "stack_of", lambda devices: Stack({}, {item.name: item.size for item in devices}))
    return BlockDevice("vda2", SIZE, "partition", disk="vda", disk_id="d", start=MIB, fstype="swap")


def whole(area: Path) -> Target:
    return Target(os.fspath(area), swap=True)


def test_a_partition_gives_all_but_its_head_and_the_header_is_watched(area: Path, part: BlockDevice) -> None:
    found = swap.located(whole(area), [part], sealed=False)
    assert found.place.spans == ((swap.HEAD, SIZE),) and found.place.key == key_of(part)
    assert found.header.key == key_of(part) and found.header.spots == ((0, PAGE),) and found.header.what == swap.WHAT


def test_a_swap_that_is_smaller_than_its_partition_stays_within(area: Path, part: BlockDevice) -> None:
    with area.open("r+b") as stream:
        stream.seek(1028)
        stream.write((8 * MIB // PAGE - 1).to_bytes(4, "little"))
    assert swap.located(whole(area), [part], sealed=False).place.spans == ((swap.HEAD, 8 * MIB),)


def test_a_volume_is_followed_down_to_its_pieces(area: Path, part: BlockDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = (
        Segment(0, 6 * MIB, Way.EACH, (Member("vda2", 40 * MIB),)),
        Segment(6 * MIB, 10 * MIB, Way.EACH, (Member("vda2", 20 * MIB),)),
    )
    monkeypatch.setattr(beneath, "stack_of", lambda devices: Stack({"dm-0": pieces}, {"dm-0": SIZE, "vda2": 64 * MIB}))
    disk = BlockDevice("vda2", 64 * MIB, "partition", disk="vda", disk_id="d", start=MIB)
    found = swap.located(whole(area), [BlockDevice("dm-0", SIZE, "dm", slaves=("vda2",)), disk], sealed=True)
    assert found.place.spans == ((20 * MIB, 30 * MIB), (40 * MIB + swap.HEAD, 46 * MIB))
    assert found.header.spots == ((40 * MIB, 40 * MIB + PAGE),)


def test_below_encryption_it_must_be_sealed(area: Path, part: BlockDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beneath, "text", lambda path, limit=0: "CRYPT-LUKS2-x" if "dm/uuid" in str(path) else "")
    with pytest.raises(Refused) as caught:
        swap.located(whole(area), [part], sealed=False)
    assert caught.value.ident == "HIB-E-TARGET-SEAL"
    assert swap.located(whole(area), [part], sealed=True)


def test_a_file_is_cut_where_its_extents_end(area: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = BlockDevice("vda1", 1 << 30, "partition", disk="vda", disk_id="d", start=MIB, fstype="ext4", mounts=("/",))
    told = [Extent(0, 100 * MIB, 32 * KIB, 0), Extent(32 * KIB, 200 * MIB, 6 * MIB, 0)]
    told += [Extent(6 * MIB + 32 * KIB, 300 * MIB, SIZE - 6 * MIB - 32 * KIB, 1)]
    monkeypatch.setattr(extents, "extents", lambda fd: iter(told))
    monkeypatch.setattr(beneath, "_number", lambda device: area.stat().st_dev)
    monkeypatch.setattr(beneath, "stack_of", lambda devices: Stack({}, {"vda1": 1 << 30}))
    found = swap.located(Target(root.path, os.fspath(area), swap=True), [root], sealed=False)
    end = 300 * MIB + SIZE - 6 * MIB - 32 * KIB
    assert found.place.spans == ((300 * MIB, end), (200 * MIB + 32 * KIB, 206 * MIB))
    assert found.header.spots == ((100 * MIB, 100 * MIB + PAGE),)


def test_what_is_not_there_or_no_swap_is_refused(area: Path, part: BlockDevice, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        swap.located(Target(os.fspath(tmp_path / "no"), swap=True), [part], sealed=False)
    assert caught.value.ident == "HIB-E-TARGET-MISSING"
    area.write_bytes(bytes(SIZE))
    with pytest.raises(Refused) as caught:
        swap.located(whole(area), [part], sealed=False)
    assert caught.value.ident == "HIB-E-SWAP"


def test_it_is_on_under_whatever_name_the_kernel_has_for_it(area: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = ActiveSwap(os.fspath(area), SIZE, 0, -2)
    link = area.with_name("link")
    link.symlink_to(area)
    monkeypatch.setattr(swap, "read_swaps", lambda: [ActiveSwap("/dev/null", 1, 0, 5), line])
    assert swap.active(whole(area)) == line == swap.active(whole(link))
    assert swap.active(whole(area.with_name("other"))) is None
    monkeypatch.setattr(swap, "read_swaps", list)
    assert swap.active(whole(area)) is None


@pytest.mark.parametrize(("state", "lent", "waits"), [
    (State.COMPLETE, True, True), (State.COMPLETE, False, False), (State.DONE, True, False), (State.ABANDONED, True, False),
])  # fmt: skip
def test_only_an_image_in_a_lent_swap_waits(area: Path, part: BlockDevice, state: State, lent: bool, waits: bool) -> None:
    found = swap.located(whole(area), [part], sealed=False)
    with ranges.Ranged(area, found.place.spans, writable=True) as store:
        headers.advance(store, headers.write(store, Header("aa" * 16, State.PARTIAL, 0)), state)
    if lent:
        swapheader.lend(area)
    left = swap.image_in(found, [part])
    assert left and left.image_id == "aa" * 16
    if not waits:
        swap.refuse_waiting(found, whole(area), [part])
        return
    with pytest.raises(Refused) as caught:
        swap.refuse_waiting(found, whole(area), [part])
    assert caught.value.ident == "HIB-E-COMPLETE" and "discard" in str(caught.value.hint)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The programs that were run."""
    said: list[list[str]] = []

    def run(words: list[str | Path], **_: object) -> CompletedProcess[str]:
        said.append([str(word) for word in words])
        return CompletedProcess(words, 0, "swapon from util-linux 2.38.1", "")

    monkeypatch.setattr(runner, "run", run)
    return said


@pytest.mark.parametrize(
    ("priority", "line", "options"),
    [
        (-2, "", []), (7, "", ["-o", "pri=7"]), (-2, "none swap sw,discard=pages 0 0", ["-o", "discard=pages"]),
        (7, "none swap pri=3,discard 0 0", ["-o", "pri=7,discard"]),
    ],
)  # fmt: skip
def test_it_is_on_again_as_it_was(
    area: Path, ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, priority: int, line: str, options: list[str]
) -> None:
    fstab = area.with_name("fstab")
    fstab.write_text(f"# swap\n/dev/sda1 / ext4 defaults 0 1\n{area} {line}\n")
    monkeypatch.setattr(swap, "FSTAB", fstab)
    swap.on(whole(area), ActiveSwap(os.fspath(area), SIZE, 0, priority))
    assert ran == [["swapon", *options, os.fspath(area)]]
    swap.on(whole(area), None)
    found = ["-o", "pri=3,discard"] if "pri=3" in line else ["-o", "discard=pages"] if line else []
    assert ran[1] == ["swapon", *found, os.fspath(area)]


def test_only_a_swapon_that_takes_a_lent_swap_back_will_do(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    swap.refuse_other_tools()
    monkeypatch.setattr(runner, "run", lambda *_, **__: CompletedProcess([], 1, "", "BusyBox v1.36"))
    with pytest.raises(Refused) as caught:
        swap.refuse_other_tools()
    assert caught.value.ident == "HIB-E-SWAP-TOOLS"

    def missing(*_: object, **__: object) -> None:
        raise CommandFailed("swapon is not installed")

    monkeypatch.setattr(runner, "run", missing)
    with pytest.raises(Refused):
        swap.refuse_other_tools()


def test_a_swap_that_cannot_be_off_is_said_with_the_reason(area: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", lambda *_, **__: CompletedProcess([], 32, "", "swapoff: Cannot allocate memory\n"))
    with pytest.raises(Refused, match="Cannot allocate memory") as caught:
        swap.off(whole(area))
    assert caught.value.ident == "HIB-E-SWAP-OFF"
