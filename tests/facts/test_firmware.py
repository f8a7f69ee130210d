"""The hardware signature, from the FACS."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import probe
from khib_tui.facts.firmware import hardware_signature
from tests.kit.faketree import tree

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
