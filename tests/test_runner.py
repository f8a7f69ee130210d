"""Running programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.runner import clean_env, run


@pytest.mark.parametrize("path", ["", "/home/u/bin:/usr/local/bin:/usr/bin:/bin:/usr/games"])
def test_a_user_without_the_folders_of_administration_in_the_path_finds_its_programs(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", path)
    places = clean_env()["PATH"].split(":")
    assert ":".join(places).startswith(path) and len(places) == len(set(places))
    assert {"/usr/sbin", "/sbin", "/usr/bin"} <= set(places)


def test_a_full_disk_is_named_before_lesser_complaints(tmp_path: Path) -> None:
    script = tmp_path / "make"
    script.write_text(
        "#!/bin/sh\necho 'ln: failed to create hard link' >&2\necho 'cat: write error: No space left on device' >&2\nexit 1\n"
    )
    script.chmod(0o755)
    with pytest.raises(CommandFailed, match="No space left on device"):
        run([script])
