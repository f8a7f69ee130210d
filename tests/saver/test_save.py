"""Saving a memory: what stands in the image's place before, stops, failures, power cuts."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from khib_tui.errors import Cancelled, ImageError, KhibError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Progress, StageName
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.linux.buffers import Buffer
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.units import MIB
from khib_tui.saver import save as saver
from tests.kit.saved import handover, memory_copy, nothing, restore, save


def test_a_complete_image_is_not_overwritten(memory: Path, target: Path) -> None:
    save(memory, target, handover())
    with pytest.raises(ImageError, match="complete image"):
        save(memory, target, handover(image_id="cd" * 16))


def test_stopping_abandons_the_image(memory: Path, target: Path) -> None:
    stop = Stop()

    def sink(event: Event) -> None:
        stop.requested = isinstance(event, Progress) and event.stage == StageName.SAVE

    with pytest.raises(Cancelled):
        save(memory, target, handover(), stop, sink)
    with Store(target) as store:
        found = headers.read(store)
    assert found is not None and found.state is State.ABANDONED


class Dying(Store):
    """A medium that fails from its n-th write on, and loses what was not flushed at a power cut."""

    def __init__(self, path: Path, good: int) -> None:
        super().__init__(path, writable=True)
        self.good = good

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        self.good -= 1
        if self.good < 0:
            raise OSError(5, os.strerror(5), str(self.path))
        super().write_buffer(offset, buffer, count)


@pytest.mark.parametrize("good", range(12))
def test_a_dying_medium_never_leaves_a_complete_image_behind_a_failure(
    memory: Path, target: Path, tmp_path: Path, good: int
) -> None:
    with Dying(target, good) as store:
        try:
            said = saver.save(handover(), 3 * MIB, PhysicalMemory(memory), store, (), ("6.1", "#1"), nothing, Stop())
        except (OSError, KhibError):
            said = None
    with Store(target) as store:
        found = headers.read(store)
    if said is None:
        assert found is None or found.state in (State.PARTIAL, State.ABANDONED)
    else:
        assert found == said
        with Store(target, writable=True) as store:
            headers.mend(store)
        restore(target, memory_copy(tmp_path))


class Recording(Store):
    """A medium that notes writes and flushes, to build every state a power cut can leave."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        self.log: list[tuple[int, bytes] | None] = []

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        super().write_buffer(offset, buffer, count)
        self.log.append((offset, bytes(buffer.view[:count])))

    def flush(self) -> None:
        super().flush()
        self.log.append(None)


def test_a_power_cut_at_any_point_leaves_no_image_that_is_complete_but_wrong(
    memory: Path, target: Path, tmp_path: Path
) -> None:
    with Recording(target) as store:
        saver.save(handover(), 3 * MIB, PhysicalMemory(memory), store, (), ("6.1", "#1"), nothing, Stop())
    sound, noise, states = target.read_bytes(), random.Random(5), set()
    durable = bytearray(len(sound))
    waiting: list[tuple[int, bytes]] = []
    for entry in store.log:
        if entry is not None:
            waiting.append(entry)
        for _ in range(3):
            cut = bytearray(durable)
            for offset, data in waiting:
                if noise.random() < 0.5:
                    torn = noise.choice([len(data), len(data), 512 * noise.randrange(len(data) // 512 + 1)])
                    cut[offset : offset + torn] = data[:torn]
            path = tmp_path / "cut"
            path.write_bytes(cut)
            with Store(path) as after:
                found = headers.read(after)
            states.add(found.state if found else None)
            if found and found.state is State.COMPLETE:
                with Store(path, writable=True) as after:
                    headers.mend(after)
                restore(path, memory_copy(tmp_path))
        if entry is None:
            for offset, data in waiting:
                durable[offset : offset + len(data)] = data
            waiting.clear()
    assert {None, State.PARTIAL, State.COMPLETE} <= states
