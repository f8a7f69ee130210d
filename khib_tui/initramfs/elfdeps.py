"""Which shared libraries ELF files load, found as the dynamic linker finds them."""

from __future__ import annotations

import os
import re
import struct
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from khib_tui.errors import KhibError
from khib_tui.i18n import _
from khib_tui.model.text import clean

MAGIC = b"\x7fELF"
_MOST_TAGS = 4096
X86_64 = b"\x02\x01\x3e\x00"
DEFAULT_DIRS = tuple(
    Path(top) for top in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
)  # fmt: skip


@dataclass(frozen=True)
class Dynamic:
    """What the dynamic section of a file asks for; `kind` is its class, byte order and machine."""

    kind: bytes
    interpreter: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A directory to search, and where its libraries have to be in the initramfs."""

    real: Path
    target: str


def is_elf(path: Path) -> bool:
    """Return whether a file is an ELF file for x86_64."""
    return _kind(path) == X86_64


@lru_cache(maxsize=4096)
def _kind(path: Path) -> bytes:
    try:
        with open(path, "rb") as handle:
            head = handle.read(20)
    except OSError:
        return b""
    return head[4:6] + head[18:20] if len(head) == 20 and head.startswith(MAGIC) else b""


@lru_cache(maxsize=4096)
def dynamic(path: Path) -> Dynamic:
    """Read what an ELF file asks for.

    :raises KhibError: it is damaged.
    """
    try:
        return _dynamic(path)
    except (ELFError, ConstructError, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> KhibError:
    """Return the error that says that a file cannot be followed."""
    hint = _("install its package anew")
    return KhibError(
        _("{path} is no whole ELF file: {error}").format(path=path, error=clean(str(error))), hint=hint, ident="HIB-E-LIBRARY"
    )


def _dynamic(path: Path) -> Dynamic:
    interpreter = ""
    tags: list[Any] = []
    with open(path, "rb") as handle:
        for segment in ELFFile(handle).iter_segments():
            if isinstance(segment, InterpSegment):
                interpreter = segment.get_interp_name()
            elif isinstance(segment, DynamicSegment):
                tags = list(islice(segment.iter_tags(), _MOST_TAGS))
    return Dynamic(
        _kind(path), interpreter,
        tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
        tuple(part for tag in tags if tag.entry.d_tag == "DT_RPATH" for part in tag.rpath.split(":") if part),
        tuple(part for tag in tags if tag.entry.d_tag == "DT_RUNPATH" for part in tag.runpath.split(":") if part),
    )  # fmt: skip


def placed(path: str | Path) -> str:
    """Return the name of a system's file in the initramfs, which has the same links between top directories.

    Only the links of directories are followed: `/lib64/ld.so` becomes `usr/lib64/ld.so` if /lib64 is one.
    """
    return str(Path(os.path.realpath(Path(path).parent), Path(path).name)).lstrip("/")


@lru_cache(maxsize=1)
def system_places() -> tuple[_Place, ...]:
    """Return the directories of /etc/ld.so.conf and the built-in ones.

    There is no ld.so.cache in the initramfs, so all their libraries go where that of C is, which is built in.
    """
    home = next((top for top in DEFAULT_DIRS if (top / "libc.so.6").exists()), DEFAULT_DIRS[-1])
    target = str(Path(placed(home / "libc.so.6")).parent)
    real = dict.fromkeys([*configured_dirs(Path("/etc/ld.so.conf")), *DEFAULT_DIRS])
    return tuple(_Place(top, target) for top in real if top.is_dir())


def configured_dirs(config: Path) -> Iterator[Path]:
    """Read the directories out of an ld.so.conf and what it includes; a missing file has none."""
    try:
        lines = config.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        text = line.partition("#")[0].strip()
        if found := re.fullmatch(r"include\s+(.*)", text):
            for pattern in found[1].split():
                base = Path("/") if pattern.startswith("/") else config.parent
                for included in sorted(base.glob(pattern.lstrip("/"))):
                    yield from configured_dirs(included)
        elif text.startswith("/"):
            yield Path(text)


def closure(files: Mapping[str, Path]) -> dict[str, Path]:
    """Return what ELF files load, and what that loads: name in the initramfs to real file, in order.

    :param files: the files to start from, in the same form; they are not in the result.
    :raises KhibError: a library is missing.
    """
    found: dict[str, Path] = {}
    queue: deque[tuple[str, Path, tuple[_Place, ...]]] = deque((target, real, ()) for target, real in files.items())
    while queue:
        target, real, inherited = queue.popleft()
        wants = dynamic(real)
        if wants.interpreter and placed(wants.interpreter) not in found:
            found[placed(wants.interpreter)] = Path(wants.interpreter)
        own = tuple(_expanded(wants.rpath, target, real))
        rpath = () if wants.runpath else own + inherited
        places = (*rpath, *_expanded(wants.runpath, target, real), *system_places())
        for name in wants.needed:
            if name.startswith("ld-linux"):
                continue
            library = _search(name, places, wants.kind, real)
            if library[0] not in found and library[0] not in files:
                found[library[0]] = library[1]
                queue.append((*library, rpath))
    return found


def system_library(name: str, user: Path) -> dict[str, Path]:
    """Find a library that is only loaded by name at run time; nothing if it is not there."""
    places = system_places()
    found = ((f"{place.target}/{name}", place.real / name) for place in places)
    return dict(next(([pair] for pair in found if _kind(pair[1]) == _kind(user)), []))


def _expanded(parts: tuple[str, ...], target: str, real: Path) -> Iterator[_Place]:
    for part in parts:
        text = part.replace("${ORIGIN}", "$ORIGIN")
        if "$ORIGIN" in text:
            inside = os.path.normpath(text.replace("$ORIGIN", f"/{Path(target).parent}"))
            yield _Place(Path(text.replace("$ORIGIN", str(real.parent))), inside.lstrip("/"))
        elif text.startswith("/"):
            yield _Place(Path(text), placed(Path(text) / "x").removesuffix("/x"))


def _search(name: str, places: tuple[_Place, ...], kind: bytes, user: Path) -> tuple[str, Path]:
    for place in places:
        real = place.real / name
        if _kind(real) == kind:
            return f"{place.target}/{name}", real
    raise KhibError(
        _("{user} needs the library {name}, which is not there").format(user=user, name=name),
        hint=_("install the package that has it"),
        ident="HIB-E-LIBRARY",
    )


def trimmed(data: bytes) -> bytes:
    """Cut off what is not loaded to run a 64-bit ELF file: debug information, symbol and section tables.

    One that cannot be followed is left as it is: the kernel or the linker of the initramfs refuses it, if it must.
    """
    try:
        return _trimmed(data)
    except struct.error:
        return data


def _trimmed(data: bytes) -> bytes:
    offset, size, count = (*struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54))
    ends = [offset + size * count]
    for number in range(count):
        start, length = struct.unpack_from("<Q16xQ", data, offset + size * number + 8)
        ends.append(start + length)
    out = bytearray(data[: max(ends)])
    struct.pack_into("<Q", out, 40, 0)
    struct.pack_into("<HH", out, 60, 0, 0)
    return bytes(out)
