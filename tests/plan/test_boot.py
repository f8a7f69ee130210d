"""C's boot entry is written, and only if it is another one."""

from __future__ import annotations

from collections.abc import Callable

from khib_tui.bootloader.bls import BootEntry
from khib_tui.decide.choice import Choice
from khib_tui.handover.cmdline import Words
from khib_tui.plan.boot import WriteBootEntry
from khib_tui.plan.step import Context
from tests.kit.saved import nothing


def written(choice: Choice, context: Context) -> BootEntry:
    WriteBootEntry(choice).apply(context)
    return BootEntry.parse(choice.loader.entry.read_text())


def test_the_entry_boots_the_restorer_inside_its_region(choice_of: Callable[..., Choice], context: Context) -> None:
    choice = choice_of(countdown=3)
    made = written(choice, context)
    assert context.changed and made.linux == "/khib/vmlinuz"
    assert made.initrds == ("/khib/initramfs.img", "/khib/kernel.cpio")
    words = made.options.split()
    assert set(choice.words) < set(words) and "console=ttyS0" in words and "root=/dev/vda1" not in words
    assert Words.parse(made.options) == Words(countdown=3, serial=True)
    assert WriteBootEntry(choice).describe() == f"write boot entry {choice.loader.entry} for bls: {made.options}"


def test_an_entry_that_is_there_is_not_written_again(choice_of: Callable[..., Choice], context: Context) -> None:
    choice = choice_of()
    written(choice, context)
    before = choice.loader.entry.stat()
    again = Context(nothing)
    written(choice, again)
    assert not again.changed and choice.loader.entry.stat().st_ino == before.st_ino


def test_a_stale_entry_is_replaced(choice_of: Callable[..., Choice], context: Context) -> None:
    written(choice_of(), context)
    again = Context(nothing)
    made = written(choice_of(countdown=99), again)
    assert again.changed and "khib.countdown=99" in made.options


def test_where_images_are_sealed_the_entry_says_so(choice_of: Callable[..., Choice], context: Context) -> None:
    assert Words.parse(written(choice_of(sealed=True), context).options).sealed


def test_an_image_in_a_file_is_named_by_its_disk(choice_of: Callable[..., Choice], context: Context) -> None:
    image = Words.parse(written(choice_of(target="/dev/vdb2:/hibernate.khib"), context).options).image
    assert image.endswith(":/hibernate.khib") and "vdb2" not in image
