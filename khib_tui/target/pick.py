"""Opening the image that a person in A asks for: the only one, one that is named, or one in an ordinary file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.image.store import Store
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.machine import Machine
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from khib_tui.target.place import opened


@contextmanager
def in_file(path: Path, *, writable: bool = False) -> Iterator[tuple[Found, Store]]:
    """Open an image in an ordinary file.

    :raises ImageError: there is none.
    """
    with Store(path, writable=writable) as store:
        header = headers.read_or_given_up(store)
        if header is None:
            raise ImageError(_("{path} holds no image").format(path=path), ident="HIB-E-NO-IMAGE")
        yield Found(TargetRef(DeviceKey("", 0, store.capacity, ""), str(path)), str(path), header), store


@contextmanager
def chosen(machine: Machine, wanted: str, file_target: str = "", *, writable: bool = False) -> Iterator[tuple[Found, Store]]:
    """Open the image that was asked for, in an ordinary file too, or the only one on the machine's disks.

    :param writable: its state is to be changed.
    :raises ImageError: there is none, or several.
    """
    if Path(wanted).is_file():
        with in_file(Path(wanted), writable=writable) as both:
            yield both
        return
    there = catalog.images(machine, file_target)
    found = [item for item in there if not wanted or wanted in (item.where, item.header.image_id)]
    if not found:
        if not machine.root:
            raise ImageError(_("the disks cannot be read"), hint=_("run as root"), ident="HIB-E-NOT-ROOT")
        raise ImageError(
            _("there is no image on {wanted}").format(wanted=wanted) if wanted else _("there is no image"),
            hint=_("see `khib image list`"),
        )
    if len(found) > 1:
        listed = ", ".join(item.where for item in found)
        raise ImageError(
            _("there are {count} images: {listed}").format(count=len(found), listed=listed),
            hint=_("name one"),
            ident="HIB-E-TWO-IMAGES",
        )
    with opened(machine.devices, found[0].target, read_only=not writable) as store:
        yield found[0], store
