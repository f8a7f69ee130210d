"""C's entry in custom.cfg: GRUB understands it, reads it as it was meant, and nothing else of the file changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from khib_tui import runner
from khib_tui.bootloader import grub
from khib_tui.bootloader.bls import BootEntry
from khib_tui.bootloader.keep import says
from khib_tui.model.boot import Folder

EXT4 = Folder("/boot", "/", "sda2", "1111-2222", "ext4")
BTRFS = Folder("/boot", "/@/boot", "sda3", "3333-4444", "btrfs")
OPTIONS = "memmap=exactmap memmap=1M%1M+2 console=ttyS0,115200 khib.image=1a2b-2048:/swap file"
ENTRY = BootEntry("Resume (khib)", "/khib/vmlinuz", ("/khib/a.img", "/khib/b.img"), "memmap=1M%1M+2 nokaslr")
CONTENTS = ["", "set timeout=9\n", "set timeout=9", "\n", "\n\n", "a\n\n\n", "# grüße\r\n", "menuentry 'x' { true }\n\n"]


def block(entry: BootEntry = ENTRY, folder: Folder = EXT4) -> str:
    return grub.block(entry, folder, setup_id="0123456789abcdef", partition="gpt2")


def test_what_grub_reads_is_what_was_meant() -> None:
    assert grub.parse(block()) == ENTRY and grub.parse("set a=b\n") is None


@pytest.mark.parametrize("folder", [EXT4, BTRFS])
def test_grub_itself_takes_the_block_for_a_script(tmp_path: Path, folder: Folder) -> None:
    if not shutil.which("grub-script-check"):
        pytest.skip("there is no grub-script-check")
    script = tmp_path / "custom.cfg"
    script.write_text(block(folder=folder))
    runner.run(["grub-script-check", str(script)])
    script.write_text(block().replace("done", "fi", 1))
    assert runner.run(["grub-script-check", str(script)], check=False).returncode


def test_the_entry_asks_nobody_and_is_found_by_its_filesystem() -> None:
    text = block(folder=BTRFS)
    assert "--id khib-restore --unrestricted {" in text and "--fs-uuid --set=root 3333-4444\n" in text
    assert "set btrfs_relative_path=n" in text and "btrfs" not in block()


def test_the_default_changes_only_for_an_image_of_this_set_up() -> None:
    text = block()
    assert "for khib_place in (hd*,gpt2); do" in text and "insmod part_gpt\n" in text
    assert "load_env --skip-sig -f ${khib_place}8+2 khib_resume" in text
    guarded = text[text.index('"$khib_resume" = "0123456789abcdef"') :]
    assert "set default=khib-restore" in guarded and text.count("set default") == 1 and "save_env" not in text
    assert "set default" not in grub.block(ENTRY, EXT4)


def test_an_image_that_begins_within_a_partition_is_looked_at_there() -> None:
    text = grub.block(ENTRY, EXT4, setup_id="0123456789abcdef", partition="gpt2", first=2048)
    assert "load_env --skip-sig -f ${khib_place}2056+2 khib_resume" in text and grub.parse(text) == ENTRY


@pytest.mark.parametrize("word", ["a b", "x=$y", "x=;{}", "x=*?[", "tab\ty", "x=#", "#x"])
def test_odd_words_arrive(word: str) -> None:
    entry = BootEntry("t", "/k", ("/i",), f'first "{word}" last')
    read = grub.parse(block(entry))
    assert read is not None and says(read, entry)


@pytest.mark.parametrize("word", ["it's", "back\\slash"])
def test_words_that_grub_changes_for_the_kernel_are_noticed(word: str) -> None:
    entry = BootEntry("t", "/k", ("/i",), f"first {word} last")
    assert not says(grub.parse(block(entry)), entry)


@pytest.mark.parametrize("content", CONTENTS)
def test_writing_and_removing_leaves_every_byte(content: str) -> None:
    once = grub.with_block(content, block())
    assert once.startswith(content) and grub.with_block(once, block()) == once
    assert grub.without_block(once) == content and grub.without_block(content) == content
    other = grub.with_block(once, grub.block(ENTRY, BTRFS))
    assert other != once and other.count(grub.BEGIN) == 1 and grub.without_block(other) == content


@pytest.mark.parametrize("content", CONTENTS)
def test_what_the_user_added_behind_the_block_stays_a_line_of_its_own(content: str) -> None:
    left = grub.without_block(grub.with_block(content, block()) + "mine\n")
    assert left.splitlines()[-1] == "mine" and left.startswith(content)
    squeezed = re.sub(r"\n+(?=### khib: begin)", "\n", grub.with_block("one\n", block())) + "two\n"
    assert grub.without_block(squeezed) == "one\ntwo\n"


def test_a_block_without_an_end_takes_nothing_of_the_user_with_it() -> None:
    broken = f"{grub.BEGIN}\nmenuentry 'x' {{\n}}\nmine\n"
    assert "mine\n" in grub.without_block(grub.with_block(broken, block()))
