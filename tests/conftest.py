"""Shared by all tests."""

from __future__ import annotations

import pytest

from khib_tui.seal import crypto


@pytest.fixture
def quick_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing."""
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests marked `long` out, unless -m speaks of them."""
    if "long" in config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
    items[:] = [item for item in items if not item.get_closest_marker("long")]
