"""The firmware's runtime services after a cold resume: C must leave them as A's kernel expects them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import prepare
from khib_tui.model.units import MIB
from tests.kit.lab_kit import options, print_event

pytestmark = pytest.mark.lab

VARIABLES = "/sys/firmware/efi/efivars"
VENDOR = "6b686962-7465-7374-8000-000000000000"


def write(session: Session, name: str, text: str) -> None:
    """Write a variable, non-volatile and for boot and runtime, in one write(2)."""
    session.program("sh", "-c", rf"printf '\007\000\000\000{text}' > {VARIABLES}/{name}-{VENDOR}")


def read(session: Session, name: str) -> str:
    return session.program("sh", "-c", f"cat {VARIABLES}/{name}-{VENDOR} | tail -c +5")


@pytest.mark.parametrize(
    "noruntime", [True, pytest.param(False, marks=pytest.mark.long)], ids=["as-written", "with-the-services-of-c"]
)
def test_a_variable_is_written_before_and_after_by_another_way_of_booting_c(tmp_path: Path, noruntime: bool) -> None:
    session = Session(prepare(options(firmware="uefi", memory=768), tmp_path, print_event), print_event)
    session.boot_a()
    session.program("sh", "-c", f"mountpoint -q {VARIABLES} || mount -t efivarfs efivarfs {VARIABLES}")
    write(session, "KhibBefore", "before")
    session.hibernate()
    boot = session.lab.boot_c({} if noruntime else {"efi=noruntime": ""})
    assert boot.initrd is not None and ("efi=noruntime" in boot.options) is noruntime
    longer = tmp_path / "longer"
    longer.write_bytes(boot.initrd.read_bytes() + bytes(3 * MIB))  # the firmware's map is another one then
    session.resume(replace(boot, initrd=longer))
    assert read(session, "KhibBefore") == "before"
    write(session, "KhibAfter", "after")
    assert read(session, "KhibAfter") == "after"
    assert "efi: " not in session.program("sh", "-c", "dmesg | grep -i 'efi.*\\(fault\\|bug\\|disabled\\)' || true")
    clean, text = session.power_off()
    assert clean, text
