"""Building the initramfs of B and C: this Python and this program, taken from the running system.

The same inputs give the same bytes, and `inputs_digest` tells cheaply whether they are still the same.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khib_tui import files
from khib_tui.errors import KhibError
from khib_tui.events.progress import Meter
from khib_tui.events.types import Level, Message, Sink, Stage, StageName, Status
from khib_tui.facts import display as displays
from khib_tui.facts import kmod
from khib_tui.facts.kmod import Index
from khib_tui.formats.cpio import Entry, archive, directory, file
from khib_tui.i18n import N_, _
from khib_tui.initramfs import elfdeps, installed, modules, pyfiles, sysfiles, unpack
from khib_tui.initramfs.packing import MARK, Compression, compress
from khib_tui.linux import keymap as keymaps
from khib_tui.model.machine import NO_DISPLAY, Display
from khib_tui.model.units import size

ROOT = Path("/")
MODULES = "etc/khib/modules"
SCREEN = "etc/khib/screen"
KEYMAP = "etc/khib/keymap"
INIT = f"{pyfiles.LIBRARIES}/khib_tui/init.py"


def build(
    sink: Sink, *, extra: Mapping[str, Path] = {}, modules_release: str | None = None, names: Sequence[str] = (),
    compression: Compression = Compression.LZ4, modules_root: Path = ROOT, keymap: bytes = b"",
    screen: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """Build the initramfs; more archives may be appended to it.

    :param extra: more files, by their name in the initramfs; they replace ours.
    :param modules_release: the kernel that it is for; without it no kernel modules are packed.
    :param names: its modules to pack, with all that they need.
    :param modules_root: the folder whose lib/modules has them.
    :param screen: modules that B alone loads, after the others.
    :param keymap: what `linux.keymap` read of A's console.
    :raises KhibError: something that has to be in it is not on this system.
    """
    started = time.monotonic()
    sink(Stage(StageName.INITRAMFS, Status.STARTED))
    try:
        files = _files()
        drivers = modules.closure(modules_release, names, modules_root) if modules_release else []
        drawing = modules.closure(modules_release, screen, modules_root) if modules_release else []
        drawing = [path for path in drawing if path not in drivers]
        meter = Meter(sink, StageName.INITRAMFS, len(files) + len(drivers) + len(drawing), unit=N_("files"))
        entries = _entries(files, meter)
        for name, paths in ((MODULES, drivers), (SCREEN, drawing)):
            entries |= _drivers(name, {_inside(path, modules_root): path for path in paths}, meter)
        if keymap:
            entries[KEYMAP] = file(KEYMAP, keymap)
        entries[MARK] = file(MARK, compression.encode())
        entries |= {name.lstrip("/"): _raw(name.lstrip("/"), path) for name, path in extra.items()}
        entries |= _libraries(extra, entries)
        packed = compress(archive(_with_parents(entries)), compression)
    except (OSError, KhibError) as error:
        sink(Stage(StageName.INITRAMFS, Status.FAILED, str(error)))
        raise
    sink(Stage(StageName.INITRAMFS, Status.DONE, size(len(packed)), time.monotonic() - started))
    return packed


def _files() -> dict[str, Path]:
    """Collect what is taken from the running system: name in the initramfs to real file."""
    files = dict(pyfiles.standard_library())
    for dist in pyfiles.distributions():
        files |= dict(pyfiles.distribution_files(dist))
    files |= dict(pyfiles.own_packages())
    if INIT not in files:
        raise KhibError(_("khib is installed here without its source files"), ident="HIB-E-INSTALLED")
    files[pyfiles.INTERPRETER_DIR + pyfiles.interpreter().name] = pyfiles.interpreter()
    files |= sysfiles.programs() | sysfiles.terminfo()
    files |= elfdeps.system_library("libgcc_s.so.1", pyfiles.interpreter())
    return files | elfdeps.closure({name: path for name, path in files.items() if elfdeps.is_elf(path)})


def _entries(files: Mapping[str, Path], meter: Meter) -> dict[str, Entry]:
    entries = {entry.name: entry for entry in (*sysfiles.skeleton(pyfiles.interpreter().name), *sysfiles.applets(files))}
    for dist in pyfiles.distributions():
        name, data = pyfiles.metadata(dist)
        entries[name] = file(name, data)
    for name, path in files.items():
        entry = _entry(name, path)
        entries[entry.name] = entry
        meter.add(1)
    return entries


def _libraries(extra: Mapping[str, Path], there: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the libraries that more programs load."""
    programs = {name: path for name, path in extra.items() if elfdeps.is_elf(path)}
    return {name: _entry(name, path) for name, path in elfdeps.closure(programs).items() if name not in there}


def _drivers(listed: str, drivers: Mapping[str, Path], meter: Meter) -> dict[str, Entry]:
    """Return modules and the file that lists them in their order; nothing for none."""
    entries = {}
    for name, path in drivers.items():
        entries[name] = file(name, unpack.content(path))
        meter.add(1)
    if drivers:
        entries[listed] = file(listed, "".join(f"/{name}\n" for name in drivers).encode())
    return entries


def _inside(path: Path, root: Path) -> str:
    """Return the name that a module has in the initramfs."""
    return elfdeps.placed(Path("/", kmod.plain_name(path).relative_to(root)))


def _entry(name: str, path: Path) -> Entry:
    if name.endswith(".py"):
        shown = re.sub(r"usr/lib[^/]*/(khib|python[\d.]+)/", "", name)
        data = pyfiles.compiled(path.read_bytes(), shown)
        return file(name, path.read_bytes()) if data is None else file(name + "c", data)
    entry = _raw(name, path)
    return file(name, elfdeps.trimmed(entry.data), 0o755) if elfdeps.is_elf(path) else entry


def _raw(name: str, path: Path) -> Entry:
    mode = path.stat().st_mode
    return file(name, path.read_bytes(), 0o755 if mode & 0o111 else 0o644 if mode & 0o077 else 0o600)


def _with_parents(entries: Mapping[str, Entry]) -> list[Entry]:
    parents = {str(parent) for name in entries for parent in Path(name).parents} - {"."}
    complete = {name: directory(name) for name in parents} | dict(entries)
    return [complete[name] for name in sorted(complete)]


def inputs_digest(
    *, extra: Mapping[str, Path] = {}, modules_release: str | None = None, names: Sequence[str] = (),
    compression: Compression = Compression.LZ4, modules_root: Path = ROOT, keymap: bytes = b"",
    screen: Sequence[str] = (),
) -> str:  # fmt: skip
    """Return a key that changes when `build` with the same arguments would give something else; takes no file apart.

    Behind a dash is what it has for the user's language.
    """
    parts = [sys.version, modules_release or "", *names, "", *screen, compression, keymap.hex()]
    parts += [f"{dist.metadata['Name']} {dist.version}" for dist in pyfiles.distributions()]
    # every change of a system library makes a new ld.so.cache
    seen = {"interpreter": pyfiles.interpreter(), "libraries": Path("/etc/ld.so.cache"), **sysfiles.programs()}
    if modules_release:
        seen["modules"] = modules.directory(modules_release, modules_root) / "modules.dep"
    seen |= dict(pyfiles.own_packages()) | {f"extra {name}": path for name, path in extra.items()}
    texts = [_stamp(seen.pop(name)) for name in dict(pyfiles.texts())]
    parts += [f"{name} {_stamp(path)}" for name, path in seen.items()]
    return "-".join(map(_digest, [parts, texts] if texts else [parts]))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path} is not there"
    return f"{path} {found.st_size} {found.st_mtime_ns}"


@dataclass(frozen=True)
class Made:
    """A new initramfs: its bytes, and what says from what it was made."""

    data: bytes
    key: str


def made(
    sink: Sink, path: Path, release: str, config: Mapping[str, str], filesystem: str = "",
    display: Display = NO_DISPLAY,
) -> Made | None:  # fmt: skip
    """Build the initramfs of a kernel for `path`, with the drivers of this machine, unless it is there already.

    One that is marked as given is kept as it is.

    :param config: what the kernel was built with, without `CONFIG_`; empty if unknown.
    :param filesystem: the kind that a file with the image lies on, `nfs` and `ssh` among them; empty for none.
    :param display: what B draws with; without a module, the firmware's framebuffer.
    :returns: None if nothing is to be written.
    :raises Refused: the kernel has no driver for that filesystem.
    """
    there = installed.key(path)
    if there == installed.GIVEN:
        return None
    wanted = release if modules.directory(release).is_dir() else None
    kinds = modules.NETWORK if filesystem in modules.REMOTE else modules.KINDS
    names = [*modules.needed_for(kinds=kinds), *modules.for_devices(wanted, kinds=kinds)] if wanted else []
    drivers = modules.for_filesystem(filesystem, wanted or "", config) if filesystem else []
    compression = Compression.best(config)
    arguments: dict[str, Any] = {"modules_release": wanted, "names": [*names, *drivers], "compression": compression}
    arguments["keymap"] = keymaps.read()
    if wanted and display.module:
        arguments["screen"] = displays.names(display, Index(modules.directory(wanted)))
        found = displays.firmware_files(display)
        arguments["extra"] = {elfdeps.placed(path): path for path in found}
    if filesystem == "ssh":
        arguments["extra"] = arguments.get("extra", {}) | sysfiles.ssh()
    key = inputs_digest(**arguments)
    if key in (there, there.partition("-")[0]):  # whoever speaks English needs no texts, and those of others do no harm
        return None
    for name in modules.missing(release, names):
        sink(
            Message(
                _("kernel {release} has no driver {name}, which a disk or keyboard of this machine uses").format(
                    release=release, name=name
                ),
                Level.WARNING,
            )
        )
    return Made(build(sink, **arguments), key)


def write(path: Path, new: Made) -> None:
    """Put an initramfs in its place."""
    installed.key_file(path).unlink(missing_ok=True)
    files.write(path, new.data)
    files.write(installed.key_file(path), f"{new.key}\n".encode())


def install(sink: Sink, path: Path, release: str, config: Mapping[str, str], filesystem: str = "") -> bool:
    """Build the initramfs and put it in its place, as `made` says; return whether there was anything to do."""
    new = made(sink, path, release, config, filesystem)
    if new:
        write(path, new)
    return new is not None
