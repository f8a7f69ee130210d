"""Resuming from a vmcore: the image it was made of counts too."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image.store import Store
from khib_tui.model.machine import BlockDevice
from khib_tui.restorer import vmcore_run
from tests.kit.exported import Hibernated, payload


def test_the_image_that_was_exported_still_is_resumed_only_once(slept: Hibernated, tmp_path: Path) -> None:
    image = tmp_path / "image"
    shutil.copyfile(slept.image, image)
    device = BlockDevice(f"..{image}", 1, "partition", disk="sdx", fstype="khib")
    spare = BlockDevice("sdy1", 1, "partition", disk="sdy")
    disk = BlockDevice("sdx", 1, "disk")
    with Store(image, writable=True) as store:
        manifest = payload(store).manifest
        found = vmcore_run.original_of(manifest, [device, spare])
        assert found is not None and found.header.image_id == manifest.image_id
        assert vmcore_run.original_of(msgspec.structs.replace(manifest, image_id="x"), [device]) is None
        assert vmcore_run.others([device, disk, spare], None) == [spare]
        headers.advance(store, found.header, headers.State.DONE)
        with pytest.raises(ImageError, match="resumed before"):
            vmcore_run.original_of(manifest, [device, spare])
