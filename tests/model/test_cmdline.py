"""Command lines are taken apart as lib/cmdline.c does it."""

from __future__ import annotations

import pytest

from khib_tui.model import cmdline
from tests.kit import FIELD

LINES = (FIELD / "19-cmdlines.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  ro\tquiet\n", ["ro", "quiet"]),
        (LINES[0], ["root=/dev/sda2", "ro", 'video="HDMI-A-1:1920x1080M@60 margin_left=10"', "quiet"]),
        (LINES[1], ["root=/dev/sda2", 'dyndbg="file drivers/usb/* +p ; func uart console=ttyS7"', "console=tty0", "quiet"]),
        (LINES[2], ['"acpi_osi=!Windows 2020"', "console=tty0", "console=ttyS0,115200n8"]),
        (LINES[5], ["console=ttyS0,115200"]),
        ("a -- b -- c", ["a"]),
        ('a="-- b" c', ['a="-- b"', "c"]),
        ("--quiet ro", ["--quiet", "ro"]),
        ('a="b c', ['a="b c']),
        ('x=a" "b" "c d', ['x=a" "b" "c', "d"]),
    ],
)
def test_split(line: str, words: list[str]) -> None:
    assert cmdline.split(line) == words


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("quiet", ("quiet", None)),
        ("root=/dev/sda1", ("root", "/dev/sda1")),
        ('"acpi_osi=!Windows 2020"', ("acpi_osi", "!Windows 2020")),
        ('video="a b=c"', ("video", "a b=c")),
        ("usb-storage.quirks=152d:0583:u", ("usb_storage.quirks", "152d:0583:u")),
        ("a=", ("a", "")),
        ('a="b', ("a", "b")),
    ],
)
def test_parameter(word: str, expected: tuple[str, str | None]) -> None:
    assert cmdline.parameter(word) == expected


def test_the_last_value_counts() -> None:
    line = 'acpi_rsdp=0x1 x="acpi_rsdp=0x3" acpi-rsdp=0x2 -- acpi_rsdp=0x4'
    assert cmdline.value(line, "acpi_rsdp") == "0x2"
    assert cmdline.value(line, "acpi") is None
