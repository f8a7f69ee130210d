"""What A hands over to B."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.handover.handover import Handover
from khib_tui.handover.handover import pack as pack_handover
from khib_tui.seal import crypto
from khib_tui.seal import unlock as sealing
from khib_tui.seal.keyslots import Cipher
from tests.kit.saved import handover
from tests.kit.sealed import PASSPHRASE

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_the_hand_over_carries_the_key_of_one_image_and_not_the_master_key() -> None:
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)
    opened = sealing.unlock(made, PASSPHRASE)
    given = handover(seal=made, key=opened.image_key("ab" * 16))
    packed = pack_handover(given)
    assert bytes.fromhex(given.key) == crypto.image_key(opened.master, "ab" * 16)
    assert opened.master.hex().encode() not in packed and opened.master not in packed and PASSPHRASE.encode() not in packed
    assert msgspec.json.decode(msgspec.json.encode(given), type=Handover) == given
    assert "master" not in repr(opened)
