"""What of cryptography goes into the initramfs: enough to seal, and little more; and nobody loads it before it is needed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from khib_tui.initramfs import elfdeps, pyfiles
from khib_tui.model.units import MIB
from khib_tui.runner import run

ROUND = """
from khib_tui.seal import crypto as seal
assert "cryptography" not in sys.modules
seal.MEMORY = 64
for cipher in seal.Cipher:
    made, recovery = seal.create("some words", cipher)
    master = seal.unlock(made, recovery)
    assert master == seal.unlock(made, "some words")
    sealer = seal.Sealer(seal.image_key(master, "id"), cipher, "id")
    assert sealer.open(0, True, sealer.seal(0, True, b"frame")) == b"frame"
    try:
        sealer.open(1, True, sealer.seal(0, True, b"frame"))
    except seal.ImageError as error:
        print(error.ident)
import cryptography
print(cryptography.__file__)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libraries as the initramfs has them, their shared objects trimmed."""
    top = tmp_path_factory.mktemp("tree")
    files = dict(pyfiles.own_packages())
    for dist in pyfiles.distributions():
        files |= dict(pyfiles.distribution_files(dist))
    for name, source in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if elfdeps.is_elf(source):
            path.write_bytes(elfdeps.trimmed(source.read_bytes()))
        else:
            shutil.copyfile(source, path)
    return top / pyfiles.LIBRARIES


def test_sealing_works_with_what_the_initramfs_has(tree: Path) -> None:
    code = f"import sys; sys.path = [{str(tree)!r}, *(p for p in sys.path if 'site-packages' not in p)]\n{ROUND}"
    lines = run([pyfiles.interpreter(), "-I", "-S", "-E", "-c", code]).stdout.split()
    assert lines == ["HIB-E-AUTH", "HIB-E-AUTH", str(tree / "cryptography/__init__.py")]


def test_what_sealing_does_not_need_is_left_out(tree: Path) -> None:
    names = {str(path.relative_to(tree)) for path in tree.rglob("*")}
    assert "cryptography/hazmat/bindings/_rust.abi3.so" in names
    for part in ("x509", "fernet.py", "hazmat/primitives/asymmetric", "hazmat/primitives/serialization", "hazmat/backends"):
        assert f"cryptography/{part}" not in names
    assert not names & {"cffi", "pycparser"}
    size = sum(path.stat().st_size for path in (tree / "cryptography").rglob("*") if path.is_file())
    assert size < 14 * MIB


@pytest.mark.parametrize(
    "module", ["khib_tui.commands.restore", "khib_tui.commands.machine", "khib_tui.seal.unlock", "screens.restore.run"]
)
def test_cryptography_is_not_loaded_for_what_is_not_sealed(module: str) -> None:
    code = f"import sys, {module}; print('cryptography' in sys.modules)"
    assert run([sys.executable, "-c", code], cwd=Path(pyfiles.__file__).parents[2]).stdout.strip() == "False"
