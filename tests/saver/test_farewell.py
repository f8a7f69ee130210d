"""The last words before the machine goes off."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.model.choices import After
from khib_tui.saver import farewell
from tests.kit.saved import handover

LATER = "To go on later, switch the machine on: it resumes by itself."


@pytest.mark.parametrize(
    ("after", "verify", "said"),
    [
        (After.POWEROFF, True, ["is saved and verified.", "switched off now."]),
        (After.POWEROFF, False, ["is saved.", "switched off"]),
        (After.REBOOT, False, ["restarts now"]), (After.HYBRID, False, ["sleeps now", "resumes from the disk"]),
        (After.PLATFORM, False, ["ACPI S4"]),
    ],
)  # fmt: skip
def test_it_says_that_all_is_on_the_disk_and_how_one_gets_it_back(after: After, verify: bool, said: list[str]) -> None:
    given = msgspec.structs.replace(handover(), after=after, verify=verify, later=LATER, host="lap\x1btop")
    text = farewell.farewell(given)
    assert [part for part in [*said, LATER] if part not in text] == [] and "\x1b" not in text


@pytest.mark.parametrize("clear", [True, False])
def test_what_stood_there_before_is_gone_where_screens_are_drawn(capsys: pytest.CaptureFixture[str], clear: bool) -> None:
    farewell.show(handover(), clear=clear)
    out = capsys.readouterr().out
    assert out.startswith(farewell.CLEAR) is clear and "\r\n" in out
