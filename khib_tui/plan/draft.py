"""Answers that were given and not set up yet: kept through a kill and a lost terminal, until the machine restarts."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from khib_tui.errors import KhibError
from khib_tui.model import settings as choices
from khib_tui.model.settings import Settings

PLACE = Path("/run/khib/answers.toml")


def path_for(settings_path: Path) -> Path:
    """Return where the answers are kept: in /run, or beside settings that lie elsewhere."""
    return PLACE if settings_path == choices.PATH else settings_path.with_suffix(".answers")


def keep(settings: Settings, settings_path: Path) -> None:
    """Keep answers; where nothing can be written they last as long as the program."""
    with suppress(OSError, KhibError):
        path = path_for(settings_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        choices.save(settings, path)


def kept(settings_path: Path) -> Settings | None:
    """Return the answers of a former time; None if there are none, or they make no sense."""
    path = path_for(settings_path)
    with suppress(OSError, KhibError):
        return choices.load(path) if path.exists() else None
    return None


def drop(settings_path: Path) -> None:
    """Forget them: they are set up, or not wanted."""
    with suppress(OSError):
        path_for(settings_path).unlink(missing_ok=True)
