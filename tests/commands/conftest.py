"""Commands on a machine that exists only as facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from khib_tui import cli
from khib_tui.events.types import Event, decode
from tests.kit import MACHINES
from tests.kit.sealed import PASSPHRASE

FACTS = MACHINES / "qemu-bios-1g.json"


@pytest.fixture
def khib_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[Event]]]:
    """Run a command; gives its exit code and events. Nothing it prints holds the passphrase."""

    def run(*words: str) -> tuple[int, list[Event]]:
        facts = [] if words[0] == "seal" and "--dry-run" not in words else ["--facts", str(FACTS)]
        code = cli.main(["--json", *facts, "--settings", str(tmp_path / "khib.toml"), *words])
        printed = capsys.readouterr()
        assert PASSPHRASE not in printed.out + printed.err
        return code, [decode(line) for line in printed.out.splitlines()]

    return run
