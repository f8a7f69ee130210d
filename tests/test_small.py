"""The small parts: words, boot entries, settings, sizes, events, meters, stopping."""

from __future__ import annotations

import io
import os
import pty
import sys
import time
from pathlib import Path

import pytest

from khib_tui.bootloader.bls import BootEntry
from khib_tui.bootloader.entry import console_words, restore_entry
from khib_tui.errors import Cancelled, UsageError
from khib_tui.events.progress import Meter, Stop
from khib_tui.events.sinks import PlainSink, progress_text  # fmt: skip
from khib_tui.events.types import (
    Event,
    Failure,
    Finding,
    LabResult,
    Level,
    Message,
    Progress,
    Result,
    Severity,
    Stage,
    StageName,
    Status,
    Step,
    decode,
    encode,
)
from khib_tui.handover.cmdline import DEFAULT_COUNTDOWN, Words
from khib_tui.linux.printk import kernel_quiet
from khib_tui.model import settings
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.settings import Settings
from khib_tui.model.units import duration, parse_size, size
from khib_tui.present import escape_key


def test_words_are_read_and_nonsense_is_ignored() -> None:
    line = "console=tty0 console=ttyS0,115200 khib.ui=plain khib.countdown=-1 khib.events=/dev/ttyS1 khib.tty=120x40 quiet"
    words = Words.parse(line)
    assert (words.plain, words.countdown, words.events) == (True, -1, "/dev/ttyS1")
    assert (words.columns, words.rows, words.terminal) == (120, 40, "vt100")
    odd = Words.parse("khib.countdown=soon khib.tty=big khib. console=tty0")
    assert odd == Words(countdown=DEFAULT_COUNTDOWN) and odd.terminal == "linux"


def test_a_boot_entry_is_read_back_as_it_was_written() -> None:
    kept = Settings(boot_dir="/boot", countdown=7, plain=True, events="/dev/ttyS1", options="extra=1")
    made = restore_entry("root=/dev/sda1 ro console=ttyS0 quiet", kept, ["memmap=exactmap", "memmap=1M$1M"], "id-0:/f",
                         Path("/boot/khib/vmlinuz"))  # fmt: skip
    assert BootEntry.parse(made.text()) == made
    words = made.options.split()
    assert made.linux == "/khib/vmlinuz" and made.initrd == "/khib/initramfs.img"
    assert "root=/dev/sda1" not in words and {"console=ttyS0", "nokaslr", "iomem=relaxed", "memmap=1M$1M"} <= set(words)
    assert {"khib.image=id-0:/f", "khib.countdown=7", "khib.ui=plain", "khib.events=/dev/ttyS1", "extra=1"} <= set(words)


def test_only_words_about_console_and_hardware_are_kept() -> None:
    line = "root=/x console=tty0 init=/bin/sh pci=nomsi console=ttyS0"
    assert console_words(line) == ["console=tty0", "pci=nomsi", "console=ttyS0"]


def test_settings_are_kept_and_wrong_ones_are_told(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "khib.toml"
    chosen = Settings(target="/dev/sdb1", codec=CodecChoice.ZSTD, after=After.REBOOT, verify=True)
    settings.save(chosen, path)
    assert settings.load(path) == chosen and path.stat().st_mode & 0o777 == 0o600
    assert settings.load(tmp_path / "none") == Settings()
    path.write_text("codec = 'rar'\n")
    with pytest.raises(UsageError, match="rar"):
        settings.load(path)


@pytest.mark.parametrize(("text", "count"), [("4096", 4096), ("240M", 240 << 20), ("1.5 GiB", 3 << 29), ("2k", 2048)])
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_size(text) == count


def test_sizes_and_times_are_said_as_people_read_them() -> None:
    assert [size(1), size(1536), size(1.4 * 2**30)] == ["1 byte", "1.5 KiB", "1.4 GiB"]
    assert [duration(1.23), duration(59.6), duration(75), duration(7500)] == ["1.2 s", "1 min 0 s", "1 min 15 s", "2 h 5 min"]


EVENTS: list[Event] = [
    Message("x", Level.WARNING), Finding("HIB-E-X", Severity.BLOCKER, "what", "why", "fix"), Step(1, 2, "do", Status.DONE, 0.5),
    Progress(StageName.SAVE, 1, 2, 3.0, 4.0, None), Stage(StageName.SAVE, Status.FAILED, "reason"),
    Result("check", True, "fine", {"a": [1]}),
    Failure("HIB-E-X", "no", "then", 4), LabResult(True, True, 1, 2, 3, 4, 5, 6, 7),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_survives_its_json_line(event: Event) -> None:
    line = encode(event)
    assert b"\n" not in line and decode(line) == event


def test_plain_lines_say_severity_cause_and_next_step() -> None:
    stream = io.StringIO()
    sink = PlainSink(stream)
    for event in EVENTS:
        sink(event)
    text = stream.getvalue()
    assert "[STOP] what" in text and "-> fix" in text and "error: no [HIB-E-X]" in text and "(hint) then" in text
    assert "save failed: reason" in text


def test_a_meter_tells_rate_and_time_left_and_always_the_end() -> None:
    now = [0.0]
    seen: list[Progress] = []

    def sink(event: Event) -> None:
        assert isinstance(event, Progress)
        seen.append(event)

    meter = Meter(sink, StageName.SAVE, 100, per_second=1, clock=lambda: now[0])
    for second in range(1, 11):
        now[0] = second / 2
        meter.add(10)
    assert seen[-1].done == 100 and seen[-1].rate == 20 and seen[-1].eta == 0
    assert len(seen) < 10, "not more often than asked for"
    assert all(len(progress_text(event)) <= 78 for event in seen)


def test_stopping_is_possible_until_it_is_too_late() -> None:
    stop = Stop()
    stop.check()
    stop.requested = True
    with pytest.raises(Cancelled):
        stop.check()
    stop.too_late()
    stop.check()


def test_escape_is_heard_on_a_terminal_and_other_keys_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with open(theirs, closefd=False) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with escape_key() as pressed:
            os.write(ours, b"ab")
            time.sleep(0.05)
            assert not pressed()
            os.write(ours, b"\x1b")
            time.sleep(0.05)
            assert pressed()
    os.close(ours)
    os.close(theirs)


def test_the_kernel_is_quiet_only_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "printk"
    path.write_text("7 4 1 7\n")
    with kernel_quiet(path):
        assert path.read_text().startswith("1")
    assert path.read_text() == "7 4 1 7\n"
    with kernel_quiet(tmp_path / "none"):
        pass
