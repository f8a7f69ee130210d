"""Exporting an image's memory into files that `crash`, `drgn` and `makedumpfile` open."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from khib_tui.errors import CommandFailed, UsageError
from khib_tui.events.progress import Meter, Stop
from khib_tui.events.types import Level, Message, Sink, Stage, StageName, Status
from khib_tui.files import partial, whole
from khib_tui.i18n import _
from khib_tui.image.export.contents import of_payload
from khib_tui.image.export.elf import Elf
from khib_tui.image.export.kdump import Kdump
from khib_tui.image.export.snapshot import Snapshot, snapshot
from khib_tui.image.reader import Payload
from khib_tui.model.units import size


class Writer(Protocol):
    """An export that is ready to be written."""

    @property
    def memory_size(self) -> int:
        """Bytes of memory that `write` tells its progress of."""

    @property
    def needed(self) -> int:
        """Bytes the file will take."""

    def write(self, stream: BinaryIO, progress: Callable[[int], None]) -> None:
        """Write the file."""


FORMATS: dict[str, Callable[[Snapshot], Writer]] = {"elf": Elf, "kdump": Kdump}


def export(payload: Payload, wanted: dict[str, Path], sink: Sink, stop: Stop, *, force: bool = False) -> dict[str, int]:
    """Export A's memory as A saw it.

    :param wanted: the file for each format, `elf` or `kdump`.
    :param force: overwrite files that are there.
    :returns: bytes of each file.
    :raises KhibError: nothing is wanted, a file is there, there is too little space, or the image is damaged.
    """
    refuse_bad_wish(wanted, force=force)
    seen = snapshot(of_payload(payload), payload.manifest)
    sink(Message(_("exported files are not encrypted: they hold all that was in the memory"), Level.WARNING))
    return {kind: _export(FORMATS[kind](seen), kind, path, sink, stop) for kind, path in wanted.items()}


def refuse_bad_wish(wanted: dict[str, Path], *, force: bool) -> None:
    """Refuse to export nothing, or twice into one file, or over a file that is there already.

    :raises UsageError: naming it.
    """
    if not wanted:
        raise UsageError(_("nothing to export"), hint=_("give --elf FILE or --kdump FILE"), ident="HIB-E-EXPORT")
    if len({path.resolve() for path in wanted.values()}) < len(wanted):
        raise UsageError(_("both formats go to one file"), hint=_("give each its own"), ident="HIB-E-EXPORT")
    for there in [name for path in wanted.values() for name in (path, partial(path))]:
        if there.exists() and not (force and there.is_file()):
            raise UsageError(
                _("{there} is there already").format(there=there), hint=_("give --force to overwrite it"), ident="HIB-E-EXISTS"
            )


def _export(writer: Writer, kind: str, path: Path, sink: Sink, stop: Stop) -> int:
    refuse_little_space(path, writer.needed)
    sink(Stage(StageName.EXPORT, Status.STARTED, f"{kind} to {path}"))
    meter = Meter(sink, StageName.EXPORT, writer.memory_size, stop)

    with whole(path) as stream:
        writer.write(stream, meter.add)
    written = path.stat().st_size
    sink(Stage(StageName.EXPORT, Status.DONE, f"{path}, {size(written)}", meter.elapsed))
    return written


def refuse_little_space(path: Path, needed: int) -> None:
    """Refuse to begin what will not fit.

    :raises CommandFailed: with how much is missing.
    """
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise CommandFailed(
            _("{path} needs {needed}, and {free} are free").format(path=path, needed=size(needed), free=size(free)),
            hint=_("choose a place with more space"),
            ident="HIB-E-SPACE",
        )
