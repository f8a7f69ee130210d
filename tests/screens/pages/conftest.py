"""Pages without the wizard."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.target import catalog
from tests.kit.fakeflow import FakeFlow


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_seals: None) -> FakeFlow:
    """A flow for a machine that can hibernate; there is no image on its disks."""
    monkeypatch.setattr(catalog, "images", lambda *_: [])
    return FakeFlow(tmp_path)
