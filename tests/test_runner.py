"""Running programs."""

from __future__ import annotations

import pytest

from khib_tui.runner import clean_env


@pytest.mark.parametrize("path", ["", "/home/u/bin:/usr/local/bin:/usr/bin:/bin:/usr/games"])
def test_a_user_without_the_folders_of_administration_in_the_path_finds_its_programs(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", path)
    places = clean_env()["PATH"].split(":")
    assert ":".join(places).startswith(path) and len(places) == len(set(places))
    assert {"/usr/sbin", "/sbin", "/usr/bin"} <= set(places)
