"""What is told about an image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from khib_tui.image.store import Store
from khib_tui.seal import unlock as sealing
from khib_tui.target import catalog
from khib_tui.target.catalog import Found

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_a_sealed_image_tells_only_what_its_header_says_until_it_is_opened(image: tuple[Found, Path], key_file: Path) -> None:
    found, path = image
    with Store(path) as store:
        clear = catalog.info(found, store, None)
        whole = catalog.info(found, store, sealing.info_sealer(found.header.seal, found.header.image_id, str(key_file)))
    assert clear["sealed"].startswith("chacha20-poly1305") and "processor" not in clear
    assert whole["processor"] == "m" and clear.items() - {("memory", clear["memory"])} <= whole.items()
    assert catalog.line(found).endswith(", sealed")
    listed = json.dumps(catalog.facts(found))
    assert '"seal": "chacha20-poly1305"' in listed and "salt" not in listed
