"""Forgetting what is remembered of journeys, when the set-up is taken away."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from khib_tui import files
from khib_tui.i18n import _
from khib_tui.plan import log
from khib_tui.plan.journal import Journal
from khib_tui.plan.step import Context


@dataclass(frozen=True)
class ForgetJourneys:
    """Remove the list of journeys and the logs, and their folder if nothing else is in it."""

    folder: Path

    def there(self) -> list[Path]:
        """Return the files that are there."""
        kept = Journal(self.folder).path
        return [path for path in (kept, files.partial(kept), *log.listed(self.folder)) if path.is_file()]

    def describe(self) -> str:
        """Return what is removed."""
        return _("remove the history and the logs in {folder}").format(folder=self.folder)

    def apply(self, context: Context) -> None:
        """Remove them."""
        for path in self.there():
            context.changed |= files.remove(path)
        for folder in (self.folder / log.FOLDER, self.folder):
            with suppress(OSError):
                folder.rmdir()
