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
from khib_tui.kbuild import make
from khib_tui.kbuild.work import Work

_NAMES = ("vmlinux.symvers", "Module.symvers")
_LAYOUT = "kernel/module/version.o"
_MOST_SHOWN = 5
_BUILD_WHOLE = N_("build its modules too: khib kernels build --whole")


def exported(tree: Path) -> dict[str, int]:
    """Return the CRC of each symbol that the built kernel has for modules.

    :raises CommandFailed: HIB-E-BUILD-ABI, the build has left no list of them.
    """
    path = next((tree / name for name in _NAMES if (tree / name).is_file()), None)
    if path is None:
        raise CommandFailed(_("the build has left no list of symbols"), hint=_(_BUILD_WHOLE), ident="HIB-E-BUILD-ABI")
    words = (line.split("\t") for line in path.read_text().splitlines())
    return {word[1]: int(word[0], 16) for word in words if len(word) > 2 and word[2] == "vmlinux"}


def try_layout(work: Work) -> None:
    """See early, by one object, that the structure of a module is the same: all modules name its CRC.

    :raises CommandFailed: HIB-E-BUILD-ABI, it is another, so no module fits.
    """
    found = re.search(r"^#SYMVER module_layout (0x[0-9a-f]+)", make.compile_one(work, _LAYOUT), re.MULTILINE)
    path = next(_paths(work.stock.modules))
    wanted = _read(path).versions.get("module_layout")
    if found and wanted not in (None, int(found[1], 16)):
        raise CommandFailed(
            _("the modules of {release} do not fit: {name} has another module_layout").format(
                release=work.stock.release, name=path.name
            ),
            hint=_(_BUILD_WHOLE),
            ident="HIB-E-BUILD-ABI",
        )  # fmt: skip


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
            hint=_(_BUILD_WHOLE),
            ident="HIB-E-BUILD-ABI",
        )
    return count


def _modules(top: Path, sink: Sink) -> Iterator[tuple[str, kmodule.KernelModule]]:
    """Yield each module with its name."""
    paths = list(_paths(top))
    meter = Meter(sink, StageName.KERNEL, len(paths), unit=N_("modules compared"))
    for path in paths:
        yield path.name, _read(path)
        meter.add(1)


def _paths(top: Path) -> Iterator[Path]:
    return (path for path in sorted((top / "kernel").rglob("*.ko*")) if path.is_file())


def _read(path: Path) -> kmodule.KernelModule:
    kind = re.sub(r".*\.ko\.?", "", path.name)
    try:
        return kmodule.read(packed.plain(kind, path.read_bytes(), kmodule.MOST))
    except packed.ERRORS as error:
        what = _("{path} cannot be read: {error}").format(path=path, error=error)
        raise CommandFailed(what, hint=_(_BUILD_WHOLE), ident="HIB-E-BUILD-ABI") from error
