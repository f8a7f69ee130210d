"""The variable that makes the next start C's, as a shell writes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from khib_tui.guard.nextboot import next_boot
from khib_tui.model.boot import Folder, Loader, LoaderKind
from tests.guard.test_script import SHELLS

EFI = Path("/sys/firmware/efi/efivars/Boot4B48-8be4df61-93ca-11d2-aa0d-00e098032b8c")
ENTRY = Path("/efi/loader/entries/khib-restore.conf")


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: str(shell[0]))
@pytest.mark.parametrize(
    ("kind", "entry", "name", "value"),
    [
        (LoaderKind.EFI, EFI, "BootNext-8be4df61-93ca-11d2-aa0d-00e098032b8c", b"\x48\x4b"),
        (LoaderKind.SYSTEMD_BOOT, ENTRY, "LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
         "khib-restore.conf\0".encode("utf-16-le")),
    ],
)  # fmt: skip
def test_a_shell_writes_the_variable_with_its_attributes(
    tmp_path: Path, shell: list[str], kind: LoaderKind, entry: Path, name: str, value: bytes
) -> None:
    script = tmp_path / "next"
    script.write_text(next_boot(Loader(kind, entry, Folder("/efi"))))
    assert subprocess.run([*shell, script, tmp_path], capture_output=True, check=True).stderr == b""
    assert (tmp_path / name).read_bytes() == b"\7\0\0\0" + value
    assert subprocess.run([*shell, script, tmp_path / "none"], check=False).returncode == 1


@pytest.mark.parametrize("kind", [LoaderKind.GRUB, LoaderKind.GRUB_BLS, LoaderKind.BLS])
def test_the_others_have_none(kind: LoaderKind) -> None:
    assert next_boot(Loader(kind, ENTRY, Folder("/boot"))) == ""
