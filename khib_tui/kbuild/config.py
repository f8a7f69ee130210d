"""What is changed in a distribution's configuration, and why; pure text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from khib_tui.i18n import _

OFF = "n"
_LINE = re.compile(r"^(?:# )?CONFIG_(\w+)(?:=(.*)| is not set)$")


class Change(NamedTuple):
    """A setting that is changed: `value` as a configuration has it, `n` for off; `why` for people."""

    name: str
    value: str
    why: str


def changes(config: dict[str, str], *, whole: bool) -> list[Change]:
    """Return what has to be changed.

    :param config: the distribution's, without `CONFIG_`.
    :param whole: modules are built too; else those of the distribution must fit, so what modules see stays as it is.
    """
    return [Change("KEXEC_JUMP", "y", _("so that it can jump")), *_keys(config), *(_lean(config) if whole else [])]


def _keys(config: dict[str, str]) -> Iterator[Change]:
    why = _("nobody but the distribution has its keys")
    yield from (Change(name, '""', why) for name in ("SYSTEM_TRUSTED_KEYS", "SYSTEM_REVOCATION_KEYS") if config.get(name))
    if config.get("MODULE_SIG_FORCE") == "y":
        yield Change("MODULE_SIG_FORCE", OFF, _("its modules are signed by a key that this kernel does not know"))
    if config.get("MODULE_SIG") == "y":
        yield Change("MODULE_SIG_ALL", OFF, _("there is nothing to sign them with"))


def _lean(config: dict[str, str]) -> Iterator[Change]:
    why = _("half of the time and room, of use to debuggers only")
    if config.get("DEBUG_INFO_BTF") == "y":
        yield Change("DEBUG_INFO_BTF", OFF, why)
    yield from (Change(name, OFF, why) for name in sorted(config) if re.fullmatch("DEBUG_INFO_DWARF(4|5|_.*)", name))
    yield Change("DEBUG_INFO_NONE", "y", why)


def changed(text: str, wanted: Sequence[Change]) -> str:
    """Return a configuration with changes; what was not in it stands at its end."""
    left = {change.name: _written(change) for change in wanted}
    lines = []
    for line in text.splitlines():
        found = _LINE.match(line)
        lines.append(left.pop(found[1], line) if found else line)
    return "\n".join([*lines, *left.values(), ""])


def _written(change: Change) -> str:
    return f"# CONFIG_{change.name} is not set" if change.value == OFF else f"CONFIG_{change.name}={change.value}"


def lost(text: str, wanted: Sequence[Change]) -> list[str]:
    """Return which changes are not in the configuration that came of them; off and missing are the same."""
    have = {found[1]: found[2] or OFF for line in text.splitlines() if (found := _LINE.match(line))}
    return [change.name for change in wanted if have.get(change.name, OFF) != change.value]


def moved(before: str, after: str, wanted: Sequence[Change]) -> list[str]:
    """Return what else has another value than before, such as what depends on a change or names the compiler."""
    old, new = _values(before), _values(after)
    mine = {change.name for change in wanted}
    return sorted(name for name in (old.keys() | new.keys()) - mine if old.get(name, OFF) != new.get(name, OFF))


def _values(text: str) -> dict[str, str]:
    return {found[1]: found[2] for line in text.splitlines() if (found := _LINE.match(line)) and found[2] not in (None, '""')}
