"""The user's choices, kept in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import UsageError
from khib_tui.model import settings
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.settings import Settings


def test_settings_are_kept_and_wrong_ones_are_told(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "khib.toml"
    chosen = Settings(target="/dev/sdb1", codec=CodecChoice.ZSTD, after=After.REBOOT, verify=True)
    settings.save(chosen, path)
    assert settings.load(path) == chosen and path.stat().st_mode & 0o777 == 0o600
    assert settings.load(tmp_path / "none") == Settings()
    path.write_text("codec = 'rar'\n")
    with pytest.raises(UsageError, match="rar"):
        settings.load(path)
