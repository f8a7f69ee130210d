"""C asks for the passphrase of a sealed image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from khib_tui.events.types import Event, Stage
from khib_tui.handover import moved
from khib_tui.handover.moved import Moved
from khib_tui.restorer import unlock
from khib_tui.target.catalog import Found
from tests.kit.saved import nothing
from tests.kit.sealed import PASSPHRASE, on_terminal

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_c_asks_five_times_and_tells_each_time_that_it_waits(image: tuple[Found, Path]) -> None:
    found, path = image
    before = path.read_bytes()

    def told(event: Event) -> None:
        if isinstance(event, Stage):
            print(f"<{event.stage} {event.status}>")

    def work() -> bool:
        return unlock.on_console(found, told).sealer is not None

    shown = on_terminal(work, ["bad passphrase"] * 4 + [PASSPHRASE])
    assert "gave True" in shown and shown.count("<passphrase started>") == 5
    assert shown.count("<passphrase failed>") == 4 and shown.count("<passphrase done>") == 1
    shown = on_terminal(work, ["bad passphrase"] * 5)
    assert "raised HIB-E-PASSPHRASE" in shown and shown.count("<passphrase started>") == 5
    assert path.read_bytes() == before


def test_c_asks_nothing_for_an_image_that_is_not_sealed(image: tuple[Found, Path]) -> None:
    found = image[0]
    plain = Found(found.target, found.where, msgspec.structs.replace(found.header, seal=None))
    assert unlock.on_console(plain, nothing) is plain


def test_c_takes_a_key_file_too(image: tuple[Found, Path], key_file: Path) -> None:
    events: list[Event] = []
    assert unlock.on_console(image[0], events.append, str(key_file)).sealer
    assert [event.status for event in events if isinstance(event, Stage)] == ["done"]


def test_a_restorer_that_has_moved_asks_nothing_again(image: tuple[Found, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found, events = image[0], list[Event]()
    first = unlock.attempt(found, PASSPHRASE)
    assert first.sealer
    given = Moved(found.header.image_id, (), {}, first.sealer.key.hex())
    monkeypatch.setattr(moved, "received", lambda *_: given)
    second = unlock.on_console(found, events.append)
    assert second.sealer and second.sealer.key == first.sealer.key and events == []
    monkeypatch.setattr(moved, "received", lambda *_: msgspec.structs.replace(given, image_id="another"))
    assert unlock.by_handover(found) is None


def test_where_memory_is_short_the_kernel_s_file_makes_way(image: tuple[Found, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """At the place where it is found out: the stretching of the passphrase."""
    removed: list[str] = []
    real = Argon2id.derive

    def short(kdf: Argon2id, secret: bytes) -> bytes:
        if not removed:
            raise MemoryError
        return real(kdf, secret)

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", hungry(short))
    monkeypatch.setattr(Path, "unlink", lambda path, **_: removed.append(str(path)))
    assert unlock.attempt(image[0], PASSPHRASE).sealer and removed == ["/khib/vmlinuz"]


def hungry(derive: Callable[[Argon2id, bytes], bytes]) -> type:
    """A class that stands for Argon2id, whose own cannot be changed."""

    class Hungry:
        def __init__(self, **given: Any) -> None:
            self.kdf = Argon2id(**given)

        def derive(self, secret: bytes) -> bytes:
            return derive(self.kdf, secret)

    return Hungry
