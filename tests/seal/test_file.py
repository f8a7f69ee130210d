"""The file of the seal."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import UsageError
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Cipher
from tests.kit.sealed import PASSPHRASE

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_the_seal_file_is_private_and_a_broken_one_is_no_missing_one(tmp_path: Path) -> None:
    path = sealfile.path_beside(tmp_path / "khib.toml")
    assert sealfile.load(path) is None and not sealfile.remove(path)
    made, _ = crypto.create(PASSPHRASE, Cipher.AES)
    sealfile.save(made, path)
    assert sealfile.load(path) == made and path.stat().st_mode & 0o777 == 0o600
    path.write_text("{}")
    with pytest.raises(UsageError) as caught:
        sealfile.load(path)
    assert caught.value.ident == "HIB-E-SEAL-FILE"
    assert sealfile.remove(path) and sealfile.load(path) is None
