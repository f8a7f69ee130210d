"""What a person does in C with an image, on a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.restorer import manage
from khib_tui.target.catalog import Found
from tests.kit import saved


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Found:
    """An image in a file, which is opened as asked: for reading only, or not."""
    memory, target = tmp_path / "memory", saved.empty(tmp_path / "image", 32 << 20)
    memory.write_bytes(saved.content())
    header = saved.save(memory, target, saved.handover())
    monkeypatch.setattr(manage, "opened", lambda _, ref, read_only: Store(Path(ref.path), writable=not read_only))
    return Found(TargetRef(DeviceKey("", 0, 32 << 20, ""), str(target)), str(target), header)


def state(found: Found) -> State:
    """The state that is written in the image now."""
    with Store(Path(found.where)) as store:
        header = headers.read_or_given_up(store)
    assert header
    return header.state


def test_looking_into_an_image_changes_nothing(found: Found) -> None:
    before = Path(found.where).read_bytes()
    data: dict[str, Any] = manage.info((), found)
    assert data["host"] == "h" and data["codec"] == "lz4" and Path(found.where).read_bytes() == before


def test_a_sound_image_is_called_sound_and_a_damaged_one_is_not(found: Found) -> None:
    assert "is sound" in manage.verify((), found, saved.nothing, Stop())
    data = bytearray(Path(found.where).read_bytes())
    at = len(data) // 8
    data[at] ^= 255
    Path(found.where).write_bytes(data)
    with pytest.raises(ImageError):
        manage.verify((), found, saved.nothing, Stop())
    assert state(found) is State.COMPLETE


def test_a_discarded_image_is_abandoned(found: Found) -> None:
    manage.discard((), found)
    assert state(found) is State.ABANDONED


def test_another_image_that_is_there_meanwhile_is_not_discarded(found: Found) -> None:
    other = msgspec.structs.replace(found, header=msgspec.structs.replace(found.header, image_id="cd" * 16))
    with pytest.raises(ImageError, match="another image"):
        manage.discard((), other)
    assert state(found) is State.COMPLETE
