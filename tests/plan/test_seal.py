"""The seal of a machine is kept and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.plan.seal import KeepSeal, RemoveSeal
from khib_tui.plan.step import Context
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Cipher, Seal
from tests.kit.saved import nothing
from tests.kit.sealed import PASSPHRASE


@pytest.fixture
def seal(quick_seals: None) -> Seal:
    """A new seal."""
    return crypto.create(PASSPHRASE, Cipher.AES)[0]


def test_a_seal_is_kept_for_root_alone(seal: Seal, context: Context, tmp_path: Path) -> None:
    path = tmp_path / "etc" / "seal.json"
    step = KeepSeal(path, seal)
    assert step.describe().startswith(f"write {path} (mode 0600)") and "aes-256-gcm" in step.describe()
    step.apply(context)
    assert sealfile.load(path) == seal and context.changed and path.stat().st_mode & 0o777 == 0o600
    assert step.describe().startswith(f"replace {path}") and seal.slots[0].wrapped.hex() not in repr(step)


def test_a_seal_is_removed_and_none_is_no_change(seal: Seal, context: Context, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    RemoveSeal(path).apply(context)
    assert not context.changed
    sealfile.save(seal, path)
    RemoveSeal(path).apply(context)
    assert context.changed and sealfile.load(path) is None


def test_a_folder_that_cannot_be_written_keeps_the_former_seal(seal: Seal, tmp_path: Path) -> None:
    path = tmp_path / "seal.json"
    sealfile.save(seal, path)
    (tmp_path / "seal.json.part").mkdir()
    run = Context(nothing)
    with pytest.raises(OSError, match=r"seal\.json\.part"):
        KeepSeal(path, seal).apply(run)
    assert sealfile.load(path) == seal and not run.changed
