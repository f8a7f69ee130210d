"""When C moves, that it does so once, and what is refused before anything is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.errors import Cancelled, CommandFailed, Refused
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Finding, Message
from khib_tui.facts import probe
from khib_tui.formats import bzimage
from khib_tui.handover.cmdline import Words
from khib_tui.handover.moved import Moved
from khib_tui.handover.place import KERNEL, MOVED
from khib_tui.image.header import Header, State
from khib_tui.jump import back, ownram
from khib_tui.model.identity import DeviceKey, TargetRef, key_of
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB
from khib_tui.restorer import move, rootfs
from khib_tui.restorer import restore as restorer
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.keyslots import Cipher
from khib_tui.target.catalog import Found
from tests.jump.test_loader import KERNEL as BZIMAGE
from tests.kit.faketree import tree
from tests.restorer.test_restore import KERNEL as RELEASE
from tests.restorer.test_restore import MANIFEST, REGION, A, C

FOUND = Found(TargetRef(DeviceKey("", 0, 1, "")), "/dev/vdb1", Header("aa", State.COMPLETE, 1))
EVERYWHERE = Ranges.of([(0x1000, 0x9F000), (MIB, 1 << 30)])


class Jumped(BaseException):
    """Another kernel runs."""


class Fake:
    """C with its memory, its machine and its words; `done` is what it did."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.events: list[Event] = []
        self.ram, self.machine, self.can = EVERYWHERE, C, True
        patch.setattr(move, "can", lambda *_: self.can)
        patch.setattr(move, "opened", self.opened)
        patch.setattr(restorer, "examine", lambda *_: (FOUND.header, MANIFEST))
        patch.setattr(ownram, "system_ram", lambda *_: self.ram)
        patch.setattr(probe, "probe", lambda **_: self.machine)
        patch.setattr(os, "uname", lambda: SimpleNamespace(release=RELEASE[0], version=RELEASE[1]))
        patch.setattr(move, "load", lambda *_: self.done.append("loaded"))
        patch.setattr(back, "jump", self.jump)

    @contextmanager
    def opened(self, devices: Any, target: Any, *, read_only: bool) -> Iterator[None]:
        assert read_only
        self.done.append("opened")
        yield
        self.done.append("closed")

    def jump(self) -> None:
        self.done.append("jumped")
        raise Jumped

    def go(self, *, stopped: bool = False) -> None:
        move.into_region((), FOUND, self.events.append, Stop(lambda: stopped))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(monkeypatch)


def test_a_restorer_outside_of_the_region_moves_once_the_image_is_closed(fake: Fake) -> None:
    with pytest.raises(Jumped):
        fake.go()
    assert fake.done == ["opened", "closed", "loaded", "jumped"]
    assert isinstance(fake.events[-1], Message) and "it moves into" in fake.events[-1].text


def test_one_page_outside_is_enough(fake: Fake) -> None:
    fake.ram = Ranges.of([*REGION, (1 << 33, (1 << 33) + 4096)])
    with pytest.raises(Jumped):
        fake.go()


def test_a_restorer_inside_the_region_stays(fake: Fake) -> None:
    fake.ram = Ranges.of(REGION)
    fake.go()
    assert fake.done == ["opened", "closed"] and fake.events == []


def test_one_that_may_not_does_not_even_look(fake: Fake) -> None:
    fake.can = False
    fake.go()
    assert fake.done == []


def test_another_machine_is_refused_by_its_own_name_before_anything_is_loaded(fake: Fake) -> None:
    fake.machine = msgspec.structs.replace(A, cpu=msgspec.structs.replace(A.cpu, model="another"))
    with pytest.raises(Refused) as caught:
        fake.go()
    assert caught.value.ident == "HIB-E-CPU" and "loaded" not in fake.done
    assert [event.ident for event in fake.events if isinstance(event, Finding)] == ["HIB-E-CPU"]


def test_escape_stops_it(fake: Fake) -> None:
    with pytest.raises(Cancelled):
        fake.go(stopped=True)
    assert "loaded" not in fake.done


@pytest.mark.parametrize(
    ("words", "files", "can"),
    [
        ("quiet", (KERNEL,), True),
        ("quiet", (), False),
        ("quiet khib.moved", (KERNEL,), False),
        ("quiet", (KERNEL, MOVED), False),
    ],
)
def test_it_moves_with_its_kernel_at_hand_and_never_twice(
    tmp_path: Path, words: str, files: tuple[str, ...], can: bool
) -> None:
    assert move.can(tree(tmp_path, dict.fromkeys(files, "x")), Words.parse(words)) is can


def test_the_words_go_on_without_those_of_the_place_and_the_loader() -> None:
    given = (
        r"BOOT_IMAGE=/khib/vmlinuz initrd=\khib\a.img memmap=exactmap memmap=1M%2M+2 quiet khib.image=a-1:/x khib.sealed -- x"
    )
    assert move.words(given) == "quiet khib.image=a-1:/x khib.sealed khib.moved"
    assert Words.parse(move.words(given)).moved and not Words.parse(given).moved


def test_what_only_the_first_knows_is_handed_over() -> None:
    sealed = Found(FOUND.target, FOUND.where, FOUND.header, Sealer(bytes(range(32)), Cipher.AES, "aa"))
    assert move.handed(A, FOUND) == (A, Moved("aa", A.firmware_memmap, A.dmi))
    assert move.handed(A, sealed)[1].key == bytes(range(32)).hex()
    device = BlockDevice("vdb1", 4096, "partition", disk="vdb", disk_id="d", start=8, serial="s")
    given = move.handed_vmcore(A, "bb", device, "/core")[1]
    assert given == Moved("bb", A.firmware_memmap, A.dmi, vmcore=TargetRef(key_of(device), "/core"))
    assert msgspec.json.decode(msgspec.json.encode(given), type=Moved) == given


def test_a_dry_run_loads_and_takes_it_back(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "kexec_unload", lambda: fake.done.append("unloaded"))
    move.tried(MANIFEST, move.handed(C, FOUND), fake.events.append)
    assert fake.done == ["loaded", "unloaded"]
    assert isinstance(fake.events[-1], Message) and "would move into" in fake.events[-1].text


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bzimage, "read", lambda path: replace(BZIMAGE, path=path))
    monkeypatch.setattr(move, "kexec_unload", lambda: None)
    monkeypatch.setattr(rootfs, "archive", lambda more: bytearray(5000) + more)
    monkeypatch.setattr(rootfs, "meminfo", lambda *_: 1 << 30)
    return tree(tmp_path, {KERNEL: bytes(BZIMAGE.payload_size), "proc/cmdline": "nokaslr memmap=exactmap"})


def load(root: Path, machine: Machine = C) -> None:
    manifest = msgspec.structs.replace(MANIFEST, ram=EVERYWHERE.spans)
    move.load(machine, manifest, b"hand-over", root)


def test_it_is_loaded_as_a_plain_kexec_with_the_hand_over(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Any] = []
    monkeypatch.setattr(
        move, "kexec_load", lambda entry, segments, *, preserve_context: loaded.append((entry, segments, preserve_context))
    )
    load(root)
    [(entry, segments, preserve)] = loaded
    by_name = {segment.name: segment for segment in segments}
    assert not preserve and by_name["boot parameters"].start < entry < by_name["boot parameters"].end
    assert bytes(by_name["initramfs"].data).endswith(b"hand-over")
    assert b"nokaslr khib.moved\0" in bytes(by_name["boot parameters"].data)


def test_a_kernel_that_cannot_is_told_with_its_reason_and_the_next_step(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise CommandFailed("the kernel refuses to load the jump: Function not implemented", ident="HIB-E-KEXEC-LOAD")

    monkeypatch.setattr(move, "kexec_load", refuse)
    with pytest.raises(Refused, match=r"cannot move into it: .*Function not implemented") as caught:
        load(root)
    assert caught.value.ident == "HIB-E-MOVE" and "image is kept" in str(caught.value.hint)


def test_too_little_memory_is_a_refusal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "meminfo", lambda *_: MIB)
    monkeypatch.setattr(move, "kexec_load", lambda *_, **__: pytest.fail("nothing is loaded"))
    with pytest.raises(Refused, match="of memory are needed") as caught:
        load(root)
    assert caught.value.ident == "HIB-E-MOVE"
