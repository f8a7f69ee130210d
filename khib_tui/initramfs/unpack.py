"""Compressed kernel modules: whole and of a bounded size, or an error."""

from __future__ import annotations

from pathlib import Path

from khib_tui import files
from khib_tui.errors import KhibError
from khib_tui.formats import packed
from khib_tui.i18n import _

# Far more than any module has.
MOST = 512 << 20


def content(path: Path) -> bytes:
    """Read a kernel module, uncompressed.

    :raises KhibError: it cannot be read, is damaged, cut off, or too large.
    """
    try:
        return packed.plain(path.suffix.lstrip("."), files.read(path, MOST), MOST)
    except (*packed.ERRORS, OSError) as error:
        raise KhibError(
            _("the kernel module {path} is damaged: {reason}").format(path=path, reason=files.reason(error)),
            ident="HIB-E-MODULE",
        ) from error
