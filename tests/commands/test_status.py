"""`khib status`: what is set up and remembered; on the restoring kernel, what images there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khib_tui import cli
from khib_tui.facts import blockdev, probe
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.plan.journal import Journal
from khib_tui.restorer import here
from khib_tui.target import catalog
from tests.kit.machines import BIOS
from tests.kit.restore_kit import image


def status(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[list[str], dict[str, Any]]:
    """Run it; give the messages, and the data of the result."""
    assert cli.main(["--json", "--settings", str(path), "status"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [event["text"] for event in events if event["event"] == "message"], events[-1]["data"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the choices of a machine without images would be."""
    monkeypatch.setattr(probe, "probe", lambda: BIOS)
    monkeypatch.setattr(catalog, "images", lambda *_: [])
    return tmp_path / "khib.toml"


def test_what_was_tried_and_every_journey_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kernel = BIOS.kernels[0].release
    Journal.beside(path).put(Journey(
        Rung.SAVE, 1_700_000_000.0, release=BIOS.release, saver=kernel, end=End.WELL, image_bytes=100, save_seconds=10.0,
    ))  # fmt: skip
    said, data = status(capsys, path)
    assert "trip: not tried yet" in said and any(line.startswith("save: went well on 2023") for line in said)
    assert data["rehearsed"]["jump"]["good"] and not data["rehearsed"]["trip"]["good"]
    assert [(item["rung"], item["end"], item["rate"]) for item in data["history"]] == [("save", "well", 10.0)]


def test_on_the_restoring_kernel_nothing_is_said_of_a_set_up(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "is_restorer", lambda: True)
    monkeypatch.setattr(blockdev, "devices", lambda: ())
    monkeypatch.setattr(catalog, "search", lambda *_: [image("/dev/vdb1")])
    said, data = status(capsys, path)
    assert not any("set up" in line or "sealed" in line for line in said) and "restoring kernel" in said[0]
    assert "/dev/vdb1" in said[1] and data["restorer"] and len(data["images"]) == 1
