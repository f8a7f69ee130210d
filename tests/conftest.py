"""Shared by all tests."""

from __future__ import annotations

import pytest

from khib_tui.image import seal


@pytest.fixture
def quick_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing."""
    monkeypatch.setattr(seal, "MEMORY", 64)
    monkeypatch.setattr(seal, "ITERATIONS", 1)
