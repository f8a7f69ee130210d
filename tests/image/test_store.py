"""A medium that is written by a thread of its own."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from khib_tui.image import store as store_module
from khib_tui.image.store import BUFFER, Store, Stream
from khib_tui.linux.buffers import Buffer


def test_a_stream_is_behind_while_a_full_buffer_waits_for_the_medium(target: Path) -> None:
    class Waiting(Store):
        go = threading.Event()

        def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
            assert self.go.wait(20)

    with Waiting(target, writable=True) as store:
        stream = Stream(store, 0)
        assert not stream.behind
        stream.append(bytes(2 * BUFFER))
        assert stream.behind
        store.go.set()
        stream.finish()
        assert not stream.behind


@pytest.mark.parametrize("buffers", [1, 8])
def test_a_writer_that_died_is_noticed(target: Path, monkeypatch: pytest.MonkeyPatch, buffers: int) -> None:
    monkeypatch.setattr(store_module, "_LOOK", 0.01)
    monkeypatch.setattr(Stream, "_write", lambda self: None)
    with Store(target, writable=True) as store:
        stream = Stream(store, 0)
        with pytest.raises(OSError, match="has died"):
            stream.append(bytes(buffers * BUFFER))
            stream.finish()
        stream.close()
