"""The seal of this machine's images: kept beside the settings, readable by root only, without any secret in clear."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from khib_tui import files
from khib_tui.errors import UsageError
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import jsontext
from khib_tui.seal.keyslots import Seal

MAX_SIZE = 64 << 10


def unsealed() -> Finding:
    """Return what it means that images are not sealed."""
    why = _("whoever gets the disk can read everything that is in memory now")
    return Finding("HIB-W-UNSEALED", Severity.WARNING, _("the image will not be sealed"), why, _("run `khib seal`"))


class Opened(Struct, frozen=True):
    """A seal with its master key."""

    seal: Seal
    master: bytes

    def __repr__(self) -> str:
        """Say nothing of the key."""
        return "Opened(...)"

    def image_key(self, image_id: str) -> str:
        """Return the key of one image in hexadecimal."""
        from khib_tui.seal import crypto

        return crypto.image_key(self.master, image_id).hex()


def path_beside(settings_path: Path) -> Path:
    """Return the file of the seal that belongs to a settings file."""
    return settings_path.with_name("seal.json")


def load(path: Path) -> Seal | None:
    """Read the seal; None if images are not sealed.

    :raises UsageError: the file is there but not readable or wrong; then nobody may take images for unsealed.
    """
    try:
        return jsontext.decode(files.read_ours(path, MAX_SIZE), Seal)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        hint = _("make a new one with `khib seal`; images that are there keep their own keyslots")
        raise UsageError(f"{path}: {files.reason(error)}", hint=hint, ident="HIB-E-SEAL-FILE") from error


def save(seal: Seal, path: Path) -> None:
    """Write the seal, whole or not at all."""
    files.write(path, msgspec.json.format(msgspec.json.encode(seal)) + b"\n")


def remove(path: Path) -> bool:
    """Seal no images from now on; tells whether there was a seal."""
    there = path.exists()
    path.unlink(missing_ok=True)
    return there
