"""`khib image`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from khib_tui.commands.common import confirm, file_target, machine_of, show_plan
from khib_tui.errors import Exit, ImageError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Message, Result, Sink
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image import verify
from khib_tui.image.header import Header, State
from khib_tui.image.reader import Payload
from khib_tui.image.store import Store
from khib_tui.model.machine import Machine
from khib_tui.model.units import size
from khib_tui.plan.discard import Discard
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Context
from khib_tui.seal.unlock import image_sealer, info_sealer
from khib_tui.target import catalog, pick

if TYPE_CHECKING:
    from argparse import Namespace


def image_list(arguments: Namespace, sink: Sink) -> int:
    """List all images."""
    here = machine_of(arguments)
    images = catalog.images(here, file_target(arguments))
    for item in images:
        sink(Message(catalog.line(item)))
    text = "" if images else catalog.none_found(here)
    sink(Result("image list", True, text, {"images": [catalog.facts(item) for item in images]}))
    return Exit.OK


def image_info(arguments: Namespace, sink: Sink) -> int:
    """Show what an image holds."""
    with pick.chosen(machine_of(arguments), arguments.image, file_target(arguments)) as (item, store):
        seal = item.header.seal if item.header.manifest_size else None
        data = catalog.info(item, store, info_sealer(seal, item.header.image_id, arguments.key_file))
    for key, value in data.items():
        sink(Message(f"{_(key):>16}: {value}"))
    sink(Result("image info", True, "", data))
    return Exit.OK


def image_verify(arguments: Namespace, sink: Sink) -> int:
    """Check every byte of an image."""
    with pick.chosen(machine_of(arguments), arguments.image, file_target(arguments)) as (item, store):
        if not item.header.manifest_size:
            raise ImageError(
                _("the image on {where} is {state}: there is nothing to verify").format(
                    where=item.where, state=item.header.state
                )
            )
        headers.refuse_damage(store)
        sealer = image_sealer(item.header.seal, item.header.image_id, arguments.key_file)
        manifest = verify.verify(store, item.header, sink, Stop(), sealer)
    sink(
        Result(
            "image verify",
            True,
            _("the image on {where} is sound: {size} of memory").format(
                where=item.where, size=size(manifest.saved_ranges.total)
            ),
        )
    )
    return Exit.OK


def image_export(arguments: Namespace, sink: Sink) -> int:
    """Write an image's memory as files for other tools."""
    written = run(arguments, lambda: machine_of(arguments), file_target(arguments), sink)
    sink(Result("image export", True, "exported", {"bytes": written}))
    return Exit.OK


def image_discard(arguments: Namespace, sink: Sink) -> int:
    """Give an image up."""
    machine, target = machine_of(arguments), file_target(arguments)
    with pick.chosen(machine, arguments.image, target) as (found, _store):
        pass
    step = Discard(machine, found, target)
    if arguments.dry_run:
        show_plan([step], sink)
        return Exit.OK
    if not arguments.yes:
        lost = _("The session in it is lost.") if found.header.state is State.COMPLETE else ""
        confirm(" ".join(filter(None, [_("Discard the image on {line}?").format(line=catalog.line(found)), lost])))
    execute([step], Context(sink), sink)
    sink(Result("image discard", True, _("the image on {where} will never be resumed").format(where=found.where)))
    return Exit.OK


def run(arguments: Namespace, machine: Callable[[], Machine], file_target: str, sink: Sink) -> dict[str, int]:
    """Export the image that was asked for, as `export` says.

    :param arguments: `image`, `key_file`, `force`, and a path or None for each format.
    :param machine: gives the machine whose disks are searched.
    """

    from khib_tui.image.export.write import FORMATS, export, refuse_bad_wish

    wanted = {kind: path for kind in FORMATS if (path := getattr(arguments, kind))}
    refuse_bad_wish(wanted, force=arguments.force)
    with source(arguments.image, machine, file_target) as (header, store):
        if not header.manifest_size:
            raise ImageError(
                _("the image is {state}: there is nothing to export").format(state=header.state), ident="HIB-E-EXPORT"
            )
        sealer = image_sealer(header.seal, header.image_id, arguments.key_file)
        manifest = manifests.read(store, header, sealer)
        payload = Payload(store, manifest, manifests.read_index(store, manifest), sealer)
        return export(payload, wanted, sink, Stop(), force=arguments.force)


@contextmanager
def source(wanted: str, machine: Callable[[], Machine], file_target: str) -> Iterator[tuple[Header, Store]]:
    """Open an image in an ordinary file, or on one of the machine's disks.

    :raises ImageError: there is none, or there are several.
    """
    place = pick.in_file(Path(wanted)) if Path(wanted).is_file() else pick.chosen(machine(), wanted, file_target)
    with place as (found, store):
        yield found.header, store
