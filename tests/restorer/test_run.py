"""What C does from its start to the jump."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import Refused
from khib_tui.handover.cmdline import Words
from khib_tui.image.header import Header, State
from khib_tui.restorer import run as kernel_c
from khib_tui.seal.keyslots import Cipher, Seal


def test_where_images_are_sealed_no_other_is_resumed() -> None:
    unsealed = Header("aa", State.COMPLETE, 1)
    kernel_c.refuse_unsealed(unsealed, sealed=False)
    kernel_c.refuse_unsealed(msgspec.structs.replace(unsealed, seal=Seal(Cipher.AES, ())), sealed=True)
    with pytest.raises(Refused) as caught:
        kernel_c.refuse_unsealed(unsealed, Words.parse("quiet khib.sealed khib.countdown=3").sealed)
    assert caught.value.ident == "HIB-E-UNSEALED"
