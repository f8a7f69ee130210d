"""`khib image` on images in ordinary files."""

from __future__ import annotations

from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from khib_tui.cli import main
from khib_tui.errors import Exit
from khib_tui.image import header as headers
from khib_tui.seal import crypto
from tests.kit.exported import Hibernated, expected, hibernate, memory_of


def test_verifying_an_image_tells_of_a_damaged_header(
    slept: Hibernated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "image"
    image.write_bytes(slept.image.read_bytes())
    assert main(["image", "verify", str(image)]) == Exit.OK
    with image.open("r+b") as stream:
        stream.seek(headers.SLOTS[1] + 20)
        stream.write(b"\xff\xff")
    assert main(["image", "verify", str(image)]) == Exit.NO_IMAGE
    assert headers.DAMAGED in capsys.readouterr().err


def test_a_sealed_image_is_exported_with_its_passphrase_only(
    slept: Hibernated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)
    made, _ = crypto.create("correct horse", crypto.Cipher.AES)
    key = crypto.image_key(crypto.unlock(made, "correct horse"), "ab" * 16).hex()
    sealed = hibernate(tmp_path, seal=made, key=key)
    word, out = tmp_path / "word", tmp_path / "elf"
    for text, code in (("wrong horses", Exit.REFUSED), ("correct horse", Exit.OK)):
        word.write_text(text)
        assert main(["image", "export", "--key-file", str(word), "--elf", str(out), str(sealed.image)]) == code
        assert out.exists() is (code == Exit.OK)
    with out.open("rb") as stream:
        assert memory_of(ELFFile(stream)) == expected(sealed)
