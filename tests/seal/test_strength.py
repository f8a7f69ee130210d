"""How strong a passphrase is said to be: never stronger than it is."""

from __future__ import annotations

from itertools import pairwise

import pytest

from khib_tui.seal import strength


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", ""), ("password", "weak; 4 more words make it strong"), ("aaaaaaaaaaaa", "weak"), ("12345678", "weak"),
        ("again again again again again", "weak"), ("correct horse battery staple", "fair; 1 more word makes it strong"),
        ("correct horse battery staple window", "strong"), ("q7#Zx!4t%Kp2&w", "strong"), ("abcdefghijklmnop", "weak"),
    ],
)  # fmt: skip
def test_words_count_as_words_and_repeats_hardly(typed: str, said: str) -> None:
    assert strength.judge(typed).startswith(said) and bool(strength.judge(typed)) is bool(typed)


def test_more_is_never_weaker() -> None:
    text = "seven quick Foxes 4 & 2 jump"
    found = [strength.bits(text[:end]) for end in range(len(text) + 1)]
    assert found[0] == 0.0 and all(after >= before - 5 for before, after in pairwise(found))
