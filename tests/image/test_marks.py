"""What GRUB and the guard of A read and write behind the first header: never more than the header says, and a no is a no."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import Header, State
from khib_tui.image.store import Store
from khib_tui.restorer import restore as restorer
from tests.kit.saved import handover, memory_copy, restore, save

ID = "0123456789abcdef"
IMAGE = "ab" * 16
PACKED = marks.packed(ID)


def guard_marks(target: Path) -> None:
    """Do what the guard of A does when its user gives the image up."""
    with target.open("r+b") as stream:
        stream.seek(4096)
        stream.write(bytes(1024) + f"KHIB-GIVEN-UP {IMAGE}\n".encode().ljust(512, b"\0"))


def block(target: Path) -> bytes:
    return target.read_bytes()[4096:8192]


@pytest.fixture
def image(memory: Path, target: Path) -> Path:
    """A complete image that boot loaders know of."""
    save(memory, target, handover(setup_id=ID))
    return target


def test_a_complete_image_has_an_environment_block_of_grub_in_sectors_8_and_9(image: Path) -> None:
    found = image.read_bytes()[8 * 512 : 10 * 512]
    assert found == f"# GRUB Environment Block\nkhib_resume={ID}\n".encode().ljust(1024, b"#")
    assert not any(block(image)[1024:]) and marks.resume_id(block(image)) == ID


def test_it_is_resumed_as_before(image: Path, tmp_path: Path) -> None:
    restore(image, memory_copy(tmp_path))


@pytest.mark.parametrize("state", [State.CLAIMED, State.ABANDONED])
def test_nothing_is_left_of_it_in_another_state(image: Path, state: State) -> None:
    with Store(image, writable=True) as store:
        headers.advance(store, the_header(store), state)
    assert block(image) == marks.NONE


def the_header(store: Store) -> Header:
    header = headers.read(store)
    assert header is not None
    return header


def test_images_of_nobody_get_no_mark(memory: Path, target: Path) -> None:
    save(memory, target, handover())
    assert block(target) == marks.NONE


def test_a_given_up_image_is_refused_with_an_identifier_of_its_own(image: Path, tmp_path: Path) -> None:
    guard_marks(image)
    with pytest.raises(ImageError) as caught:
        restore(image, memory_copy(tmp_path))
    assert caught.value.ident == "HIB-E-IMAGE-GIVEN-UP" and "export" in str(caught.value.hint)
    with Store(image) as store:
        assert (the_header(store).state, the_header(store).reason) == (State.ABANDONED, marks.REASON)


def test_a_repair_makes_the_giving_up_final(image: Path, tmp_path: Path) -> None:
    guard_marks(image)
    with Store(image, writable=True) as store:
        headers.mend(store)
        assert [slot.state for slot in headers.read_slots(store) if slot] == [State.ABANDONED] * 2
    assert block(image) == marks.NONE
    with pytest.raises(ImageError) as caught:
        restore(image, memory_copy(tmp_path))
    assert caught.value.ident == "HIB-E-IMAGE-GIVEN-UP"


def test_it_is_saved_over_without_being_asked(image: Path, memory: Path, tmp_path: Path) -> None:
    guard_marks(image)
    assert save(memory, image, handover(image_id="cd" * 16, setup_id=ID)).state is State.COMPLETE
    assert block(image) == PACKED
    restore(image, memory_copy(tmp_path))


def test_the_header_says_it_before_the_mark_goes(image: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_marks(image)
    seen: list[tuple[bool, list[State | None]]] = []
    real = Store.flush

    def flush(store: Store) -> None:
        real(store)
        there = marks.given_up(marks.read(store), IMAGE)
        seen.append((there, [slot.state if slot else None for slot in headers.read_slots(store)]))

    monkeypatch.setattr(Store, "flush", flush)
    save(memory, image, handover(image_id="cd" * 16))
    assert seen[0][0] and all(there or State.COMPLETE not in states for there, states in seen[:4])


@pytest.mark.parametrize("sectors", [(0,), (1,), (0, 1)])
def test_a_sector_that_a_power_cut_left_out_is_no_damage(image: Path, sectors: tuple[int, ...]) -> None:
    data = bytearray(image.read_bytes())
    for sector in sectors:
        data[4096 + 512 * sector : 4608 + 512 * sector] = bytes(512)
    image.write_bytes(data)
    with Store(image) as store:
        assert restorer.examine(store)[0].state is State.COMPLETE


def test_any_other_byte_of_it_is_damage_but_the_identity(image: Path) -> None:
    counted = PACKED.replace(b"\n" + b"#" * 14, b"\nkhib_guard=3\n#", 1)
    assert counted != PACKED and marks.sound(PACKED) and marks.sound(counted)
    at = PACKED.index(ID.encode())
    for number in (*range(at), at + 16, *range(at + 17, 4096)):
        changed = bytearray(PACKED)
        changed[number] ^= 1
        assert not marks.sound(bytes(changed))


def test_what_cannot_be_understood_there_is_refused_and_repaired(image: Path, tmp_path: Path) -> None:
    with image.open("r+b") as stream:
        stream.seek(4100)
        stream.write(b"X")
    with pytest.raises(ImageError) as caught:
        restore(image, memory_copy(tmp_path))
    assert caught.value.ident == headers.DAMAGED
    with Store(image, writable=True) as store:
        headers.mend(store)
    restore(image, memory_copy(tmp_path))


def test_a_repair_keeps_what_boot_loaders_know(image: Path) -> None:
    with Store(image, writable=True) as store:
        store.write(headers.SLOTS[1], bytes(4096))
        headers.mend(store)
    assert block(image) == PACKED


def test_no_flipped_bit_revives_a_given_up_image(image: Path) -> None:
    guard_marks(image)
    marked = block(image)
    for bit in range(1024 * 8, 1536 * 8):
        changed = bytearray(marked)
        changed[bit // 8] ^= 1 << bit % 8
        assert marks.given_up(bytes(changed), IMAGE)
    assert not marks.given_up(PACKED, IMAGE) and not marks.given_up(marks.NONE, IMAGE)
