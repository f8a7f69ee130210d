"""Shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.model.units import MIB
from khib_tui.seal import crypto
from tests.kit import saved
from tests.kit.exported import Hibernated, export, hibernate


@pytest.fixture
def quick_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing."""
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A physical memory."""
    path = tmp_path / "mem"
    path.write_bytes(saved.content())
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An empty place for an image."""
    return saved.empty(tmp_path / "target", 40 * MIB)


@pytest.fixture(scope="session")
def slept(tmp_path_factory: pytest.TempPathFactory) -> Hibernated:
    """A machine that was hibernated, and its image exported both ways, as `elf` and `kdump` beside the image."""
    return export(hibernate(tmp_path_factory.mktemp("export")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests marked `long` out, unless -m speaks of them."""
    if "long" in config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
    items[:] = [item for item in items if not item.get_closest_marker("long")]
