"""A laptop for all tests of facts."""

from __future__ import annotations

import pytest

from khib_tui.facts import probe
from khib_tui.model.machine import Machine
from tests.kit.faketree import tree
from tests.kit.laptop import DISKS, SYSTEM


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The machine that was read from these files."""
    return probe.probe(tree(tmp_path_factory.mktemp("root"), SYSTEM | DISKS))
