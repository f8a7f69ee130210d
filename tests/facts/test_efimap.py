"""The firmware's boot services, from sysfs: what is odd is left out."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.efimap import boot_services
from khib_tui.model.machine import MemoryRange
from tests.kit.faketree import tree


def entry(number: int, kind: str, start: str, pages: str) -> dict[str, str]:
    top = f"sys/firmware/efi/runtime-map/{number}"
    return {f"{top}/type": f"{kind}\n", f"{top}/phys_addr": f"{start}\n", f"{top}/num_pages": f"{pages}\n"}


def test_types_3_and_4_are_read_and_sorted(tmp_path: Path) -> None:
    files = entry(0, "0x4", "0x900000", "0xc00") | entry(1, "0x3", "0x100000", "0x1") | entry(2, "0x5", "0x200000", "0x10")
    assert boot_services(tree(tmp_path, files)) == (
        MemoryRange(0x100000, 0x101000, "Boot Code"),
        MemoryRange(0x900000, 0x1500000, "Boot Data"),
    )


def test_what_is_odd_is_left_out(tmp_path: Path) -> None:
    files = entry(0, "4", "x", "0x0") | entry(1, "0x3", "0x100000", "0xffffffffffffffff") | entry(2, "", "", "")
    assert boot_services(tree(tmp_path, files)) == () and boot_services(tmp_path / "none") == ()
