"""Opening a seal: with a key file, and by typing on a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.events.progress import Stop
from khib_tui.image import verify
from khib_tui.image.store import Store
from khib_tui.seal import crypto
from khib_tui.seal import unlock as sealing
from khib_tui.seal.keyslots import Cipher
from khib_tui.target.catalog import Found
from tests.kit.saved import nothing
from tests.kit.sealed import PASSPHRASE, on_terminal

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_verify_opens_with_the_right_key_only(image: tuple[Found, Path], key_file: Path) -> None:
    found, path = image
    with Store(path) as store:
        verify.verify(
            store, found.header, nothing, Stop(), sealing.image_sealer(found.header.seal, found.header.image_id, str(key_file))
        )
    key_file.write_text("wrong passphrase")
    with pytest.raises(Refused) as caught:
        sealing.image_sealer(found.header.seal, found.header.image_id, str(key_file))
    assert caught.value.ident == "HIB-E-PASSPHRASE"


def test_three_tries_on_a_terminal() -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)

    def work() -> bool:
        opened = sealing.opened(made, "")
        return opened is not None and opened.master == crypto.unlock(made, PASSPHRASE)

    shown = on_terminal(work, ["wrong one", "wrong two", PASSPHRASE])
    assert "gave True" in shown and "1 more try" in shown and "wrong one" not in shown
    assert "raised HIB-E-PASSPHRASE" in on_terminal(work, ["wrong one", "wrong two", "wrong three"])
