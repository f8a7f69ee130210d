"""What A's kernel tells about its own layout, as text (Documentation/admin-guide/kdump/vmcoreinfo.rst)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from khib_tui.i18n import _
from khib_tui.pagefilter.view import Doubt


class VmcoreInfo(Struct, frozen=True):
    """The lines by key: `SYMBOL(x)`, `SIZE(x)`, `OFFSET(x.y)`, `LENGTH(x)`, `NUMBER(x)`, `KERNELOFFSET`, `OSRELEASE`, ..."""

    lines: Mapping[str, str]

    def number(self, name: str) -> int:
        """Return `NUMBER(name)`, which is decimal.

        :raises Doubt: it is not there.
        """
        return self._int(f"NUMBER({name})", 10)

    def size(self, name: str) -> int:
        """Return `SIZE(name)` in bytes."""
        return self._int(f"SIZE({name})", 10)

    def offset(self, name: str) -> int:
        """Return `OFFSET(struct.member)` in bytes."""
        return self._int(f"OFFSET({name})", 10)

    def length(self, name: str) -> int:
        """Return `LENGTH(array)` in elements."""
        return self._int(f"LENGTH({name})", 10)

    def symbol(self, name: str) -> int:
        """Return `SYMBOL(name)`, a virtual address."""
        return self._int(f"SYMBOL({name})", 16)

    def optional(self, name: str) -> int | None:
        """Return `NUMBER(name)`, or None where this kernel has none."""
        return self.number(name) if f"NUMBER({name})" in self.lines else None

    def _int(self, key: str, base: int) -> int:
        try:
            return int(self.lines[key], base)
        except (KeyError, ValueError) as error:
            raise Doubt(_("the kernel does not tell {key}").format(key=key)) from error


def parse(text: str) -> VmcoreInfo:
    """Read the text; lines without `=` are left out."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return VmcoreInfo({key: value.strip() for key, value in pairs})
