"""The header's two slots: no flipped bit goes unnoticed, and one slot is enough to repair the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.model.units import MIB
from khib_tui.restorer import restore as restorer
from tests.kit.saved import Flipped, handover, memory_copy, restore, save


@pytest.mark.parametrize("slot", headers.SLOTS)
def test_every_flipped_bit_of_a_header_slot_is_refused(memory: Path, target: Path, slot: int) -> None:
    save(memory, target, handover())
    store = Flipped(bytearray(target.read_bytes()[: headers.PAYLOAD_OFFSET]))
    for bit in range(slot * 8, (slot + 4096) * 8):
        store.data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError) as caught:
            headers.refuse_damage(store)
        assert caught.value.ident == headers.DAMAGED and caught.value.hint
        store.data[bit // 8] ^= 1 << bit % 8
    headers.refuse_damage(store)


def test_whatever_lies_between_the_slots_is_refused(memory: Path, target: Path) -> None:
    target.write_bytes(b"\xaa" * 40 * MIB)
    save(memory, target, handover())
    store = Flipped(bytearray(target.read_bytes()[: headers.PAYLOAD_OFFSET]))
    headers.refuse_damage(store)
    ends = {end + step for slot in (*headers.SLOTS, headers.PAYLOAD_OFFSET) for end in (slot, slot + 4096) for step in (-1, 0)}
    for at in [*range(0, headers.PAYLOAD_OFFSET, 8191), *ends & set(range(headers.PAYLOAD_OFFSET))]:
        store.data[at] ^= 1
        with pytest.raises(ImageError) as caught:
            headers.refuse_damage(store)
        assert caught.value.ident == headers.DAMAGED
        store.data[at] ^= 1


@pytest.mark.parametrize("at", [20, 9, 5000, MIB + 60])
def test_a_damaged_header_is_refused_until_it_is_repaired_from_its_second_copy(
    memory: Path, target: Path, tmp_path: Path, at: int
) -> None:
    save(memory, target, handover())
    with target.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ 1]))
    with pytest.raises(ImageError) as caught:
        restore(target, memory_copy(tmp_path))
    assert caught.value.ident == headers.DAMAGED
    with Store(target, writable=True) as store:
        headers.mend(store)
        assert restorer.examine(store)[0].state is State.COMPLETE
    restore(target, memory_copy(tmp_path))


def test_a_claimed_image_stays_claimed_when_either_slot_rots(memory: Path, target: Path) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        headers.advance(store, header, State.CLAIMED)
    for slot in headers.SLOTS:
        broken = bytearray(target.read_bytes())
        broken[slot + 100] ^= 1
        other = target.with_name("broken")
        other.write_bytes(broken)
        with Store(other, writable=True) as store:
            found = headers.read(store)
            headers.mend(store)
            mended = headers.read(store)
        assert found is not None and found.state is State.CLAIMED
        assert mended is not None and mended.state is State.CLAIMED


def test_slots_that_say_different_things_are_refused_until_they_are_repaired(memory: Path, target: Path) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        old = msgspec.structs.replace(header, state=State.PARTIAL, generation=header.generation - 1)
        store.write(headers.SLOTS[headers.read_slots(store).index(header) ^ 1], headers.pack(old))
        with pytest.raises(ImageError) as caught:
            restorer.examine(store)
        assert caught.value.ident == headers.DAMAGED
        headers.mend(store)
        assert restorer.examine(store)[0].state is State.COMPLETE


def slots_of(store: Store, before: headers.Header, *changes: dict[str, Any]) -> None:
    """Write both slots, each as the header before it with changes."""
    for offset, change in zip(headers.SLOTS, changes, strict=True):
        before = msgspec.structs.replace(before, **{"generation": before.generation + 1, **change})
        store.write(offset, headers.pack(before))


def test_a_claim_that_only_one_slot_has_was_cut_short_and_nobody_jumped(memory: Path, target: Path) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        slots_of(store, header, {"state": State.COMPLETE}, {"state": State.CLAIMED})
        found = headers.read(store)
        assert found is not None and found.state is State.COMPLETE
        with pytest.raises(ImageError) as caught:
            restorer.examine(store)
        assert caught.value.ident == headers.DAMAGED
        headers.mend(store)
        assert restorer.examine(store)[0].state is State.COMPLETE
        assert all(slot and slot.state is State.COMPLETE for slot in headers.read_slots(store))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"state": State.CLAIMED}, {"state": State.CLAIMED}),
        ({"state": State.PARTIAL}, {"state": State.CLAIMED}),
        ({"state": State.COMPLETE, "image_id": "another"}, {"state": State.CLAIMED, "image_id": "ab" * 16}),
        ({"state": State.COMPLETE}, {"state": State.CLAIMED, "image_bytes": 1}),
        ({"state": State.COMPLETE, "generation": 1}, {"state": State.CLAIMED, "generation": 9}),
        ({"state": State.COMPLETE}, {"state": State.DONE}),
        ({"state": State.COMPLETE}, {"state": State.ABANDONED}),
    ],
)
def test_no_other_pair_of_slots_gives_a_claim_back(
    memory: Path, target: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        slots_of(store, header, first, second)
        found = headers.read(store)
    assert found is not None and found.state is second["state"]


def newer(slot: bytes) -> bytes:
    return slot[:8] + b"\2" + slot[9:]


@pytest.mark.parametrize("kind", ["newer", "contradicting"])
def test_headers_that_nobody_understands_can_be_given_up_and_then_written_over(memory: Path, target: Path, kind: str) -> None:
    header = save(memory, target, handover())
    other = msgspec.structs.replace(header, state=State.PARTIAL)
    with Store(target, writable=True) as store:
        for offset, said in zip(headers.SLOTS, (header, header if kind == "newer" else other), strict=True):
            store.write(offset, newer(headers.pack(said)) if kind == "newer" else headers.pack(said))
        for use in (headers.read, headers.mend, restorer.examine):
            with pytest.raises(ImageError) as caught:
                use(store)
            assert caught.value.ident in headers.UNCLEAR and "discard" in str(caught.value.hint)
        unclear = headers.read_or_given_up(store)
        assert unclear is not None and unclear.state is State.ABANDONED and unclear.image_id == headers.UNKNOWN
        headers.advance(store, unclear, State.ABANDONED, "discarded")
        assert [slot.state for slot in headers.read_slots(store) if slot] == [State.ABANDONED] * 2
    assert save(memory, target, handover()).state is State.COMPLETE


def test_a_reason_of_any_length_and_kind_fits(memory: Path, target: Path) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        assert headers.advance(store, header, State.ABANDONED, "\x01\U0001f600" * 3000) == headers.read(store)
