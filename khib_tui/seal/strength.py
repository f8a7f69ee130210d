"""How hard a passphrase is to guess, reckoned low: words count as those of a dictionary, repeats and sequences hardly."""

from __future__ import annotations

import math
import re
from itertools import pairwise

from khib_tui.i18n import _, ngettext

# A word that one of 2,048 is; letters, digits and signs that follow no rule.
_WORD_BITS, _LETTER, _DIGIT, _SIGN = 11.0, math.log2(26), math.log2(10), math.log2(32)
_REST = 0.5
_SHORTEST_WORD = 3
FAIR, STRONG = 35.0, 55.0


def bits(passphrase: str) -> float:
    """Return the bits that whoever guesses has to guess at least."""
    seen: set[str] = set()
    return sum(_bits_of(run, seen) for run in re.findall(r"[^\W\d_]+|\d+|[\W_]", passphrase))


def _bits_of(run: str, seen: set[str]) -> float:
    if run.lower() in seen:
        return _REST
    seen.add(run.lower())
    if run.isdigit():
        return _fresh(run) * _DIGIT
    if not run.isalpha():
        return _SIGN if run != " " else _REST
    return min(_fresh(run) * _LETTER, _WORD_BITS) if len(run) >= _SHORTEST_WORD else _fresh(run) * _LETTER


def _fresh(run: str) -> int:
    """Count the characters that neither repeat the last one nor stand next to it, as in `aaa`, `abc` or `321`."""
    return 1 + sum(abs(ord(after) - ord(before)) > 1 for before, after in pairwise(run))


def judge(passphrase: str) -> str:
    """Say how strong it is, and what would make it stronger; '' for none."""
    if not passphrase:
        return ""
    found = bits(passphrase)
    if found >= STRONG:
        return _("strong")
    more = math.ceil((STRONG - found) / (_WORD_BITS + _REST))
    words = ngettext("{count} more word makes it strong", "{count} more words make it strong", more).format(count=more)
    return "; ".join([_("fair") if found >= FAIR else _("weak"), words])
