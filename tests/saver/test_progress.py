"""What is told while an image is written, read back and restored: bytes of the image, up to the last."""

from __future__ import annotations

from pathlib import Path

from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Progress, StageName
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.restorer import restore as restorer
from tests.kit import saved


def told(events: list[Event], stage: StageName) -> list[Progress]:
    return [event for event in events if isinstance(event, Progress) and event.stage is stage]


def test_saving_tells_memory_and_image_and_reading_tells_the_image(target: Path, memory: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    header = saved.save(memory, target, saved.handover(verify=True), sink=events.append)
    last = told(events, StageName.SAVE)[-1]
    assert last.done == last.total and 0 < last.image < header.image_bytes
    read = told(events, StageName.VERIFY)[-1]
    assert read.done == read.total == last.image and read.image == 0
    again: list[Event] = []
    with Store(target) as store:
        _, manifest = restorer.examine(store)
        into = PhysicalMemory(saved.memory_copy(tmp_path), writable=True)
        restorer.fill_memory(store, manifest, into, again.append, Stop())
    filled = told(again, StageName.RESTORE)[-1]
    assert filled.done == filled.total == last.image
