"""Whether the distribution's modules fit the kernel that was built: the kernel itself compares just this when it loads one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.events.progress import Meter
from khib_tui.events.types import Sink, StageName
from khib_tui.formats import bzimage, kernelimage, kmodule, packed
from khib_tui.i18n import N_, _
from khib_tui.kbuild.work import Work

_NAMES = ("vmlinux.symvers", "Module.symvers")
_MOST_SHOWN = 5


def exported(tree: Path) -> dict[str, int]:
    """Return the CRC of each symbol that the built kernel has for modules.

    :raises CommandFailed: HIB-E-BUILD-ABI, the build has left no list of them.
    """
    path = next((tree / name for name in _NAMES if (tree / name).is_file()), None)
    if path is None:
        raise CommandFailed(_("the build has left no list of symbols"), hint=_(_HINT), ident="HIB-E-BUILD-ABI")
    words = (line.split("\t") for line in path.read_text().splitlines())
    return {word[1]: int(word[0], 16) for word in words if len(word) > 2 and word[2] == "vmlinux"}


def compare(work: Work, sink: Sink) -> int:
    """See that each module of the distribution could be loaded by the built kernel.

    :returns: how many there are.
    :raises CommandFailed: HIB-E-BUILD-ABI, one could not.
    """
    ours = exported(work.tree)
    elf = kernelimage.content(bzimage.read(work.tree / "arch/x86/boot/bzImage"))
    wrong: list[str] = []
    wanted: set[str] = set()
    exports: set[str] = set()
    count = 0
    for name, module in _modules(work.stock.modules, sink):
        count += 1
        exports |= module.exports
        wanted |= module.versions.keys() - ours.keys()
        if f"{work.stock.ours} {module.vermagic.partition(' ')[2]}".encode() not in elf:
            wrong.append(_("{name} is for a kernel of another kind ({vermagic})").format(name=name, vermagic=module.vermagic))
        wrong += [
            _("{name} has another {symbol}").format(name=name, symbol=symbol)
            for symbol, crc in module.versions.items()
            if ours.get(symbol, crc) != crc
        ]
    wrong += [_("the kernel lacks {symbol}").format(symbol=symbol) for symbol in sorted(wanted - exports)]
    if wrong:
        more = _(" and {count} more").format(count=len(wrong) - _MOST_SHOWN) if len(wrong) > _MOST_SHOWN else ""
        raise CommandFailed(
            _("the modules of {release} do not fit: {reasons}{more}").format(
                release=work.stock.release, reasons=", ".join(wrong[:_MOST_SHOWN]), more=more
            ),
            hint=_(_HINT),
            ident="HIB-E-BUILD-ABI",
        )
    return count


_HINT = N_("build its modules too: khib kernels build --whole")


def _modules(top: Path, sink: Sink) -> Iterator[tuple[str, kmodule.KernelModule]]:
    """Yield each module with its name.

    :raises CommandFailed: HIB-E-BUILD-ABI, one cannot be read.
    """
    paths = sorted(path for path in (top / "kernel").rglob("*.ko*") if path.is_file())
    meter = Meter(sink, StageName.KERNEL, len(paths), unit=N_("modules compared"))
    for path in paths:
        kind = re.sub(r".*\.ko\.?", "", path.name)
        try:
            yield path.name, kmodule.read(packed.plain(kind, path.read_bytes(), kmodule.MOST))
        except packed.ERRORS as error:
            raise CommandFailed(
                _("{path} cannot be read: {error}").format(path=path, error=error), hint=_(_HINT), ident="HIB-E-BUILD-ABI"
            ) from error
        meter.add(1)
