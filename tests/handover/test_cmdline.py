"""The kernel parameters by which A tells C what it wants."""

from __future__ import annotations

from khib_tui.handover.cmdline import DEFAULT_COUNTDOWN, Words


def test_words_are_read_and_nonsense_is_ignored() -> None:
    line = "console=tty0 console=ttyS0,115200 khib.ui=plain khib.countdown=-1 khib.events=/dev/ttyS1 khib.tty=120x40 quiet"
    words = Words.parse(line)
    assert (words.plain, words.countdown, words.events) == (True, -1, "/dev/ttyS1")
    assert (words.columns, words.rows, words.terminal) == (120, 40, "vt100")
    odd = Words.parse("khib.countdown=soon khib.tty=big khib. console=tty0")
    assert odd == Words(countdown=DEFAULT_COUNTDOWN) and odd.terminal == "linux"


def test_the_language_is_handed_over_and_no_path_is_one() -> None:
    assert Words.parse(" ".join(Words(lang="de").format())).lang == "de"
    assert [Words.parse(f"khib.lang={name}").lang for name in ("../../etc", "DE", "de_DE", "")] == [""] * 4
