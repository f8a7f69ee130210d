"""What A is told when saving ends early."""

from __future__ import annotations

import errno

import pytest

from khib_tui.errors import Cancelled, ImageError
from khib_tui.handover.report import Outcome
from khib_tui.saver.run import failure


@pytest.mark.parametrize(
    ("error", "outcome", "ident"),
    [
        (Cancelled("you stopped it", ident="HIB-E-CANCELLED"), Outcome.CANCELLED, "HIB-E-CANCELLED"),
        (KeyboardInterrupt(), Outcome.CANCELLED, "HIB-E-CANCELLED"),
        (ImageError("full", ident="HIB-E-X"), Outcome.FAILED, "HIB-E-X"),
        (OSError(5, "Input/output error"), Outcome.FAILED, "HIB-E-IO"),
        (OSError(errno.ENOSPC, "No space left on device"), Outcome.FAILED, "HIB-E-TARGET-FULL"),
        (OSError(errno.EFBIG, "File too large"), Outcome.FAILED, "HIB-E-TARGET-FULL"),
        (MemoryError(), Outcome.FAILED, "HIB-E-DEFECT"),
    ],
)
def test_why_the_system_is_back_is_told(error: BaseException, outcome: Outcome, ident: str) -> None:
    report = failure(error)
    assert (report.outcome, report.ident) == (outcome, ident) and report.text
