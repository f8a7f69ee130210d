"""Resuming from a vmcore: the image it was made of counts too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from khib_tui.errors import ImageError, Refused
from khib_tui.events.progress import Stop
from khib_tui.image import header as headers
from khib_tui.image.export.contents import PlainFile
from khib_tui.image.store import Store
from khib_tui.jump import ownram
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, PAGE
from khib_tui.restorer import move, vmcore_run
from khib_tui.restorer.vmcore import load
from tests.kit.exported import Hibernated, payload
from tests.kit.saved import nothing
from tests.restorer.test_restore import A


def test_the_image_that_was_exported_still_is_resumed_only_once(slept: Hibernated, tmp_path: Path) -> None:
    image = tmp_path / "image"
    shutil.copyfile(slept.image, image)
    device = BlockDevice(f"..{image}", 1, "partition", disk="sdx", fstype="khib")
    spare = BlockDevice("sdy1", 1, "partition", disk="sdy")
    disk = BlockDevice("sdx", 1, "disk")
    with Store(image, writable=True) as store:
        manifest = payload(store).manifest
        found = vmcore_run.original_of(manifest, [device, spare])
        assert found is not None and found.header.image_id == manifest.image_id
        assert vmcore_run.original_of(msgspec.structs.replace(manifest, image_id="x"), [device]) is None
        assert vmcore_run.others([device, disk, spare], None) == [spare]
        headers.advance(store, found.header, headers.State.DONE)
        with pytest.raises(ImageError, match="resumed before"):
            vmcore_run.original_of(manifest, [device, spare])


def unreached(*_: object) -> NoReturn:
    """What must not be reached."""
    raise AssertionError


@pytest.mark.parametrize("ours", [True, False])
def test_a_kernel_whose_memory_a_vmcore_would_overwrite_restores_nothing(
    slept: Hibernated, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    """Also if the memory was plugged in while the question waited for its answer."""
    monkeypatch.setattr(vmcore_run, "read_hardware", unreached)
    monkeypatch.setattr(vmcore_run, "PhysicalMemory", unreached)
    core = load(PlainFile(slept.image.with_name("elf")))
    own = core.manifest.region_ranges if core.manifest else Ranges()
    core = core if ours else replace(core, manifest=None)
    monkeypatch.setattr(ownram, "system_ram", lambda *_: own)
    vmcore_run.refuse_own(core)
    start = core.target.spans[0][0]
    for more in [(start, start + PAGE)] + [(64 * GIB, 65 * GIB)] * ours:
        took = own | Ranges.of([more])
        monkeypatch.setattr(ownram, "system_ram", lambda *_, took=took: took)
        ways: list[Callable[[], object]] = [
            lambda: vmcore_run.check(core, [], None, unreached),
            lambda: vmcore_run.work(core, 0, [], None, None, unreached, Stop()),
        ]
        for go in ways:
            with pytest.raises(Refused) as caught:
                go()
            assert caught.value.ident == "HIB-E-REGION-RAM"


def test_a_kernel_beside_the_region_moves_and_finds_the_vmcore_again(
    slept: Hibernated, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    core = load(PlainFile(slept.image.with_name("elf")))
    assert core.manifest is not None
    device = BlockDevice("vdb1", 4096, "partition", disk="vdb")
    started: list[object] = []
    monkeypatch.setattr(ownram, "system_ram", lambda *_: core.target)
    monkeypatch.setattr(move, "can", lambda *_: True)
    monkeypatch.setattr(move, "judged", lambda *_: A)
    monkeypatch.setattr(move, "go", lambda manifest, given, sink, stop: started.append(given[1].vmcore))
    monkeypatch.setattr(move, "tried", lambda *_: started.append("tried"))
    moves = vmcore_run.mover(core, [device], device, "/dev/vdb1:/core")
    assert moves is not None
    moves(nothing, Stop())
    moves(nothing, None)
    assert started == [TargetRef(key_of(device), "/core"), "tried"]
    with pytest.raises(Refused) as caught:
        vmcore_run.mover(core, [device], None, "/mnt/core")
    assert caught.value.ident == "HIB-E-VMCORE-PLACE" and "/dev/PARTITION" in str(caught.value.hint)


def test_one_inside_the_region_or_that_has_moved_stays(slept: Hibernated, monkeypatch: pytest.MonkeyPatch) -> None:
    core = load(PlainFile(slept.image.with_name("elf")))
    assert core.manifest is not None
    monkeypatch.setattr(ownram, "system_ram", lambda *_: core.target)
    monkeypatch.setattr(move, "can", lambda *_: False)
    assert vmcore_run.mover(core, [], None, "/core") is None
    inside = core.manifest.region_ranges
    monkeypatch.setattr(move, "can", lambda *_: True)
    monkeypatch.setattr(ownram, "system_ram", lambda *_: inside)
    assert vmcore_run.mover(core, [], None, "/core") is None
