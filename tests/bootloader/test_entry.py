"""C's boot entry: what goes into it, and that it is read back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.bootloader.bls import BootEntry
from khib_tui.bootloader.entry import OPTIONS_MAX, restore_entry, saver_words
from khib_tui.decide import region
from khib_tui.errors import Refused
from khib_tui.model import machine
from khib_tui.model.boot import Folder
from khib_tui.model.settings import Settings
from tests.kit import MACHINES

BOOT, KERNEL = Folder("/boot"), Path("/boot/khib/vmlinuz")


def test_a_boot_entry_is_read_back_as_it_was_written() -> None:
    kept = Settings(boot_dir="/boot", countdown=7, plain=True, events="/dev/ttyS1", options="extra=1")
    made = restore_entry("root=/dev/sda1 ro console=ttyS0 quiet", kept, BOOT, ["memmap=exactmap", "memmap=1M%1M+2"], "id-0:/f",
                         Path("/boot/khib/vmlinuz"))  # fmt: skip
    assert BootEntry.parse(made.text()) == made
    words = made.options.split()
    assert made.linux == "/khib/vmlinuz" and made.initrds == ("/khib/initramfs.img", "/khib/kernel.cpio")
    assert "root=/dev/sda1" not in words and {"console=ttyS0", "nokaslr", "iomem=relaxed", "memmap=1M%1M+2"} <= set(words)
    assert {"khib.image=id-0:/f", "khib.countdown=7", "khib.ui=plain", "khib.events=/dev/ttyS1", "extra=1"} <= set(words)


def entry(memmap: list[str]) -> BootEntry:
    return restore_entry("ro", Settings(), BOOT, memmap, "", Path("/boot/khib/vmlinuz"))


def test_parameters_that_would_be_cut_are_refused() -> None:
    room = OPTIONS_MAX - len(entry([]).options) - 1
    assert len(entry(["x" * room]).options) == OPTIONS_MAX
    with pytest.raises(Refused) as caught:
        entry(["x" * (room + 1)])
    assert caught.value.ident == "HIB-E-CMDLINE" and "memmap=" in (caught.value.hint or "")


@pytest.mark.parametrize("name", sorted(path.stem for path in MACHINES.glob("*.json")))
def test_no_boot_loader_finds_anything_to_expand_and_memory_comes_first(name: str) -> None:
    here = machine.load(MACHINES / f"{name}.json")
    chosen = region.choose(here, here.kernels[0], 0)
    words = region.memmap_words(here, chosen)
    made = restore_entry(here.cmdline, Settings(events="/dev/ttyS1"), BOOT, words, "id-0:/f", KERNEL, sealed=True)
    assert not set("$\\'\"`;{}") & set(made.options)
    assert made.options.split()[: len(words)] == words and made.options.endswith("khib.sealed")


def test_b_and_c_speak_the_language_of_the_user_unless_programs_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    assert "khib.lang=de" in entry([]).options.split() and "khib.lang=de" in saver_words("ro", Settings())
    told = restore_entry("ro", Settings(events="/dev/ttyS1"), BOOT, [], "", KERNEL)
    assert "khib.lang" not in told.options
    monkeypatch.setenv("LANGUAGE", "en")
    assert "khib.lang" not in entry([]).options
