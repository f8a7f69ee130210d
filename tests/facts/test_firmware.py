"""The hardware signature, from the FACS."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import probe
from khib_tui.facts.firmware import acpi_tables, hardware_signature
from tests.kit.faketree import Content, tree

# Signature, length, hardware signature, waking vector, global lock, flags, 64-bit vector, version, reserved.
FACS = b"FACS" + (64).to_bytes(4, "little") + (0xBEEF).to_bytes(4, "little") + bytes(20) + b"\x02" + bytes(31)
TABLES = "sys/firmware/acpi/tables"


def test_the_signature_is_read(tmp_path: Path) -> None:
    assert len(FACS) == 64
    root = tree(tmp_path, {f"{TABLES}/FACS": FACS})
    assert hardware_signature(root) == "0x0000beef" == probe.probe(root).hardware_signature


def test_of_two_tables_the_first_counts(tmp_path: Path) -> None:
    other = FACS.replace(b"\xef\xbe", b"\x01\x02")
    assert hardware_signature(tree(tmp_path, {f"{TABLES}/FACS1": FACS, f"{TABLES}/FACS2": other})) == "0x0000beef"


@pytest.mark.parametrize("content", [None, b"", b"FACS", b"FACP" + FACS[4:], FACS[:11]])
def test_no_table_or_half_a_table_is_no_signature(tmp_path: Path, content: bytes | None) -> None:
    root = tree(tmp_path, {} if content is None else {f"{TABLES}/FACS": content})
    assert hardware_signature(root) == ""


CODE: dict[str, Content] = {f"{TABLES}/FACP": b"FACP at 0x2ffe0040", f"{TABLES}/DSDT": b"DSDT method A"}


def test_the_tables_that_a_kernel_goes_on_to_use_have_a_digest(tmp_path: Path) -> None:
    before = acpi_tables(tree(tmp_path / "a", CODE))
    assert len(before) == 64 == len(probe.probe(tmp_path / "a").acpi_tables)
    assert acpi_tables(tree(tmp_path / "b", CODE | {f"{TABLES}/SSDT1": b"SSDT"})) == before
    moved = {f"{TABLES}/FACP": b"FACP at 0x2ffdf400"}
    other = {f"{TABLES}/DSDT": b"DSDT method B"}
    assert len({before, *(acpi_tables(tree(tmp_path / str(n), CODE | item)) for n, item in enumerate([moved, other]))}) == 3


@pytest.mark.parametrize("change", [{f"{TABLES}/DSDT": b""}, {"proc/sys/kernel/tainted": "4352\n"}])
def test_tables_that_cannot_be_read_or_are_the_user_s_own_have_none(tmp_path: Path, change: dict[str, Content]) -> None:
    assert acpi_tables(tree(tmp_path, CODE | change)) == ""
    assert acpi_tables(tree(tmp_path, CODE | {"proc/sys/kernel/tainted": "4096\n"})) != ""
