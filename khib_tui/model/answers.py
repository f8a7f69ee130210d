"""What a file answers instead of a person: every choice of the set-up, and the passphrase's file if images are to be sealed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from khib_tui import files
from khib_tui.errors import UsageError
from khib_tui.i18n import _
from khib_tui.model import settings
from khib_tui.model.settings import Settings


class Answers(Settings, frozen=True, forbid_unknown_fields=True):
    """The choices by the names that khib.toml has, and `key_file`, which holds the passphrase; '' leaves the seal as it is."""

    key_file: str = ""

    @property
    def settings(self) -> Settings:
        """The choices alone."""
        return Settings(**{name: getattr(self, name) for name in Settings.__struct_fields__})


def load(path: Path) -> Answers:
    """Read the answers.

    :raises UsageError: the file is missing or wrong, with the place and the reason.
    """
    try:
        return settings.read(path, Answers)
    except (OSError, msgspec.DecodeError) as error:
        hint = _("it has the names of khib.toml, such as `target`, and `key_file`")
        raise UsageError(f"{path}: {files.reason(error)}", hint=hint, ident="HIB-E-ANSWERS") from error
