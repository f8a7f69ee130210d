"""What another hardware signature of the firmware means: a warning, unless the system has asked for more or for less."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide.hardware import signature_findings, tables_findings
from khib_tui.events.types import Severity
from khib_tui.model.machine import SignatureRule
from tests.kit.machines import BIOS

WARN, REFUSE, IGNORE = SignatureRule.WARN, SignatureRule.REFUSE, SignatureRule.IGNORE


@pytest.mark.parametrize(
    ("before", "now", "rule", "expected"),
    [
        ("0x00000001", "0x00000001", WARN, []),
        ("0x00000001", "0x00000001", REFUSE, []),
        ("0x00000001", "0x00000002", WARN, [("HIB-W-FACS", Severity.WARNING)]),
        ("0x00000001", "", WARN, [("HIB-W-FACS", Severity.WARNING)]),
        ("0x00000001", "0x00000002", REFUSE, [("HIB-E-FACS", Severity.BLOCKER)]),
        ("0x00000001", "", REFUSE, [("HIB-E-FACS", Severity.BLOCKER)]),
        ("0x00000001", "0x00000002", IGNORE, []),
        ("", "0x00000002", REFUSE, []),
    ],
)
def test_a_changed_signature(before: str, now: str, rule: SignatureRule, expected: list[tuple[str, Severity]]) -> None:
    found = signature_findings(before, now, rule)
    assert [(item.ident, item.severity) for item in found] == expected
    assert all(item.fix and before in item.what for item in found)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("", WARN), ("acpi_sleep=s3_bios", WARN), ("acpi_sleep=s3_bios,s4_hwsig quiet", REFUSE),
        ("acpi_sleep=s4_nohwsig", IGNORE), ("acpi_sleep=s4_hwsig acpi_sleep=s4_nohwsig,s3_mode", IGNORE),
        ("acpi_sleep=s4_hwsig acpi_sleep=s3_mode", REFUSE), ("xacpi_sleep=s4_hwsig acpi_sleep", WARN),
    ],
)  # fmt: skip
def test_the_kernel_s_own_word_is_obeyed(words: str, rule: SignatureRule) -> None:
    assert msgspec.structs.replace(BIOS, cmdline=words).signature_rule is rule


@pytest.mark.parametrize(("before", "now", "count"), [("aa", "aa", 0), ("aa", "bb", 1), ("aa", "", 1), ("", "bb", 0)])
def test_other_tables_are_refused(before: str, now: str, count: int) -> None:
    found = tables_findings(before, now)
    assert [(item.ident, item.severity) for item in found] == [("HIB-E-ACPI", Severity.BLOCKER)] * count
    assert all("image is kept" in item.fix for item in found)
