"""What of A's command line B and C get."""

from __future__ import annotations

import pytest

from khib_tui.bootloader import carried
from khib_tui.bootloader.carried import ALWAYS, carried_words
from khib_tui.bootloader.entry import common_words
from khib_tui.model.settings import Settings
from tests.kit import FIELD
from tests.kit.machines import field

LINES = (FIELD / "19-cmdlines.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (LINES[0], ['video="HDMI-A-1:1920x1080M@60 margin_left=10"']),
        (LINES[1], ["console=tty0"]),
        (LINES[2], ['"acpi_osi=!Windows 2020"', "console=tty0", "console=ttyS0,115200n8"]),
        (
            LINES[3],
            ["nvme_core.default_ps_max_latency_us=0", "pcie_aspm=off", "libata.force=noncq", "usb-storage.quirks=152d:0583:u",
             "intel_iommu=off"],
        ),
        (LINES[4], []),
        (LINES[5], ["console=ttyS0,115200"]),
        (LINES[6], []),
        ("root=/x console=tty0 init=/bin/sh pci=nomsi console=ttyS0 quiet", ["console=tty0", "pci=nomsi", "console=ttyS0"]),
        ("console=hvc0 console=ttyS0 earlyprintk=ttyS0", ["console=ttyS0", "earlyprintk=ttyS0"]),
        ("acpi=off acpi_rsdp=0x1 acpi.ec_no_wakeup=1 reboot=pci", ["acpi=off", "acpi.ec_no_wakeup=1", "reboot=pci"]),
        ("intel_idle.max_cstate=1 processor.max_cstate=1 idle=nomwait tsc=unstable clocksource=hpet",
         ["intel_idle.max_cstate=1", "processor.max_cstate=1", "idle=nomwait", "tsc=unstable", "clocksource=hpet"]),
        ("mem=4G memmap=4K$0x1000 crashkernel=256M hugepages=512 init_on_free=1 page_poison=1 resume=/dev/sda3", []),
        ("consoleblank=0 pcie=1 videodev=3 iommufd.x=1 rootfstype=btrfs", []),
    ],
)  # fmt: skip
def test_of_the_field_and_of_each_kind(line: str, words: list[str]) -> None:
    assert carried_words(line) == [*words, *ALWAYS]


def test_each_reason_has_names_and_no_name_has_two() -> None:
    names = [*carried.CONSOLE, *(name for names in carried.QUIRKS.values() for name in names)]
    assert len(names) == len(set(names)) and all(carried.QUIRKS.values())
    assert all("-" not in name and name.rstrip("*.") for name in names)


def test_b_and_c_read_memory_as_it_is() -> None:
    assert "mem_encrypt=off" in common_words("mem_encrypt=on", Settings())
    assert "mem_encrypt=on" not in common_words("mem_encrypt=on", Settings())


def test_nothing_of_xen_reaches_b_and_c() -> None:
    words = common_words(field("17-xen-dom0").cmdline, Settings())
    assert not [word for word in words if "hvc" in word or "xen" in word]


def test_options_of_the_settings_may_be_quoted() -> None:
    assert 'a="b c"' in common_words("", Settings(options='a="b c" d'))
