"""Reading an image back from the medium."""

from __future__ import annotations

from khib_tui.events.progress import Meter, Stop
from khib_tui.events.types import Sink, StageName
from khib_tui.image import reader
from khib_tui.image.header import Header
from khib_tui.image.manifest import Manifest, read, read_index
from khib_tui.image.store import Store
from khib_tui.seal.crypto import Sealer


def check_readable(store: Store, header: Header, sealer: Sealer | None = None) -> None:
    """Read back manifest and index from the medium.

    :raises ImageError: they are not what was written.
    """
    read_index(store, read(store, header, sealer))


def verify(store: Store, header: Header, sink: Sink, stop: Stop, sealer: Sealer | None = None) -> Manifest:
    """Read the whole image back from the medium and check every digest and the cover of memory.

    :raises ImageError: it is damaged; the byte is in the text.
    """
    manifest = read(store, header, sealer)
    frames = read_index(store, manifest)
    meter = Meter(sink, StageName.VERIFY, sum(frame.stored for frame in frames), stop)

    reader.unfold(reader.Payload(store, manifest, frames, sealer), reader.Nowhere(), meter.add)
    return manifest
