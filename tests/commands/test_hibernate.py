"""Journeys of a machine whose images are sealed, or should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khib_tui.events.types import Finding, Step
from tests.kit.events import failure_of
from tests.kit.sealed import WHERE

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_an_unsealed_hibernation_warns_and_a_sealed_one_says_so(khib_events: Any, key_file: Path) -> None:
    words = ("hibernate", "--dry-run", "--target", WHERE)
    _, events = khib_events(*words)
    found = [event for event in events if isinstance(event, Finding)]
    assert [(event.ident, event.severity, "khib seal" in event.fix) for event in found] == [("HIB-W-UNSEALED", "warning", True)]
    assert not any("sealed" in event.text for event in events if isinstance(event, Step))
    khib_events("seal", "--key-file", str(key_file))
    _, events = khib_events(*words)
    assert not [event for event in events if isinstance(event, Finding)]
    assert [event for event in events if isinstance(event, Step) and "sealed" in event.text]


@pytest.mark.parametrize("verb", [("hibernate",), ("rehearse", "--save")])
def test_a_wrong_key_file_refuses_the_journey_before_its_first_step(
    khib_events: Any, tmp_path: Path, key_file: Path, verb: tuple[str, ...]
) -> None:
    khib_events("seal", "--key-file", str(key_file))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    key_file.write_text("another passphrase")
    before[key_file] = key_file.read_bytes()
    code, events = khib_events(*verb, "--target", WHERE, "--key-file", str(key_file))
    assert (code, failure_of(events).ident) == (4, "HIB-E-PASSPHRASE")
    assert not [event for event in events if isinstance(event, Step)]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_broken_seal_file_never_means_unsealed(khib_events: Any, tmp_path: Path) -> None:
    (tmp_path / "seal.json").write_text("{")
    code, events = khib_events("hibernate", "--target", WHERE)
    assert (code, failure_of(events).ident) == (2, "HIB-E-SEAL-FILE")
