"""The events, as their types and docstrings have them."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import msgspec

from khib_tui.events import types
from reference.document import table

# More values than these stand in a list of their own.
_FEW = 4


def listing() -> str:
    """Return the table of all events, and the values of enumerations that are too many for it."""
    kinds = get_args(types.AnyEvent)
    lines = [(f"`{kind.__struct_config__.tag}`", _keys(kind), _doc(kind)) for kind in kinds]
    many = {item for kind in kinds for item in _enumerations(kind) if len(item) > _FEW}
    notes = [f"{_doc(item)} {_values(item)}." for item in sorted(many, key=lambda item: item.__name__)]
    return "\n\n".join([table(("event", "keys", "when"), lines), *notes])


def _enumerations(kind: type[msgspec.Struct]) -> list[type[StrEnum]]:
    hints = get_type_hints(kind).values()
    return [hint for hint in hints if isinstance(hint, type) and issubclass(hint, StrEnum)]


def _keys(kind: type[msgspec.Struct]) -> str:
    hints = get_type_hints(kind)
    return ", ".join(f"`{field.encode_name}`{_type(hints[field.name])}" for field in msgspec.structs.fields(kind))


def _type(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, StrEnum) and len(hint) <= _FEW:
        return f" ({_values(hint)})"
    return " or null" if type(None) in get_args(hint) else ""


def _values(enumeration: type[StrEnum]) -> str:
    return ", ".join(f"`{item.value}`" for item in enumeration)


def _doc(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())
