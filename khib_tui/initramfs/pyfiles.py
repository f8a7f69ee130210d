"""The Python part of the initramfs: interpreter, standard library, our packages and what they import.

Wherever the running Python lives, in the initramfs its prefix is /usr, where it looks by itself.
"""

from __future__ import annotations

import marshal
import os
import re
import sys
import sysconfig
import warnings
from collections import deque
from collections.abc import Iterator, Set
from importlib.util import MAGIC_NUMBER, find_spec
from operator import is_
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

from khib_tui import i18n
from khib_tui.errors import KhibError
from khib_tui.i18n import _

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PROJECT = "khib-tui"
PACKAGES = ("khib_tui", "screens")
LIBRARIES = "usr/lib/khib"
INTERPRETER_DIR = "usr/bin/"

_NO_DIRS = frozenset(("__pycache__", "test", "tests", "docs", "examples", "locale"))
_NO_FILES = re.compile(r".*\.(pyc|pyi|typed|pxd|pyx|[ch]|md|rst|txt|mo|po|exe|a)|_cffi\..*\.so|backend_cffi\.py")
_NO_STDLIB_DIRS = _NO_DIRS | {
    "site-packages", "dist-packages", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "distutils", "pydoc_data",
    "unittest", "venv", "xml", "http", "multiprocessing", "sqlite3", "dbm", "xmlrpc", "wsgiref", "__phello__", "msilib",
    "_pyrepl",
}  # fmt: skip
_NO_STDLIB_FILES = re.compile(
    r"(sitecustomize|turtle|antigravity|this|pydoc|doctest|mailbox|_pydecimal|_pyio)\.py"
    r"|(big5.*|cp932|cp949|cp950|euc_.*|gb.*|hz|iso2022_.*|johab|shift_?jis.*)\.py"
    r"|(_test|_xx|xxlimited|_ctypes_test|_tkinter|_sqlite3|_dbm|_gdbm|_ssl|_codecs_|_multibytecodec|nis|audioop"
    r"|ossaudiodev|readline|_crypt).*\.so"
    rf"|EXTERNALLY-MANAGED|{_NO_FILES.pattern}"
)
_NO_OWN_FILES = re.compile(r".*\.pyc")
_NO_OWN_DIRS = frozenset(("__pycache__",))
# Of cryptography only what sealing needs: AEAD, Argon2id and HKDF, all in its one shared object.
_NO_PARTS = {
    "cffi": re.compile(r"cffi/.*"),
    "pycparser": re.compile(r".*"),
    # B and C build no initramfs
    "pyelftools": re.compile(r".*"),
    "wcwidth": re.compile(r"wcwidth/table_grapheme_overrides/_known_.*"),
    "cryptography": re.compile(
        r"cryptography/(x509|hazmat/(asn1|backends|bindings/openssl|primitives/(asymmetric|serialization|twofactor)))/.*"
        r"|cryptography/fernet\.py"
    ),
}  # fmt: skip
_HASHES = ("_md5", "_sha1", "_sha3", "_blake2")

Files = Iterator[tuple[str, Path]]


def interpreter() -> Path:
    """Return the real file of the running Python, out of any virtual environment."""
    base = getattr(sys, "_base_executable", "") or sys.executable
    return Path(os.path.realpath(base))


def standard_library() -> Files:
    """Return the modules of the standard library, without those that nobody needs on a bare kernel."""
    top = Path(os.path.realpath(sysconfig.get_path("stdlib")))
    prefix = Path(os.path.realpath(sys.base_prefix))
    target = f"usr/{top.relative_to(prefix)}"
    builtin = all(map(find_spec, _HASHES)) and any(map(find_spec, ("_sha256", "_sha2")))
    for name, path in walk(top, _NO_STDLIB_DIRS, _NO_STDLIB_FILES):
        # it would bring in OpenSSL, which is larger than all the rest
        if not (builtin and path.name.startswith("_hashlib.")):
            yield f"{target}/{name}", path


def walk(top: Path, no_dirs: Set[str] = _NO_DIRS, no_files: re.Pattern[str] = _NO_FILES) -> Files:
    """Return the files below a directory that are worth carrying, by their path below it, in a fixed order."""
    for parent, directories, names in os.walk(top):
        directories[:] = sorted(name for name in directories if name not in no_dirs and not name.startswith("config-"))
        for name in sorted(names):
            path = Path(parent, name)
            if not no_files.fullmatch(name) and path.is_file():
                yield str(path.relative_to(top)), path


def own_packages() -> Files:
    """Return our own modules, without the lab, and the texts of the user's language."""
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise KhibError(_("the package {package} is not installed").format(package=package), ident="HIB-E-INSTALLED")
        for name, path in walk(Path(spec.submodule_search_locations[0]), _NO_OWN_DIRS, _NO_OWN_FILES):
            if not name.startswith(("lab/", "locale/")):
                yield f"{LIBRARIES}/{package}/{name}", path
    yield from texts()


def texts() -> Files:
    """Return the texts of the user's language, nothing for English."""
    if spoken := i18n.language():
        path = i18n.catalogue_file(spoken)
        yield f"{LIBRARIES}/khib_tui/locale/{path.relative_to(i18n.FOLDER)}", path


def requirements(dist: Distribution) -> Iterator[tuple[str, bool]]:
    """Yield the names of what a distribution needs, and whether it always needs it."""
    for line in dist.requires or []:
        requirement, _, marker = line.partition(";")
        found = re.match(r"[\w.-]+", requirement.strip())
        if found and not re.search(r"\bextra\b", marker):
            yield re.sub(r"[-_.]+", "-", found[0]).lower(), not marker.strip()


def distributions() -> list[Distribution]:
    """Return the installed distributions that we need, and those that they need.

    :raises KhibError: one that is always needed is not installed.
    """
    # Slow to import: most starts find an initramfs that is made.
    from importlib.metadata import PackageNotFoundError, distribution

    found: dict[str, Distribution] = {}
    queue = deque([(PROJECT, True)])
    while queue:
        name, always = queue.popleft()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError as error:
            if always:
                raise KhibError(
                    _("the Python package {name} is not installed").format(name=name),
                    hint=_("install {project} with its dependencies").format(project=PROJECT),
                    ident="HIB-E-INSTALLED",
                ) from error
            continue
        queue.extend(requirements(found[name]))
    return [found[name] for name in sorted(found) if name != PROJECT]


def distribution_files(dist: Distribution) -> Files:
    """Return the modules of a distribution that are needed, however it was installed."""
    unneeded = _NO_PARTS.get(dist.metadata["Name"].lower())
    for name, path in _all_files(dist):
        if not (unneeded and unneeded.fullmatch(name.removeprefix(f"{LIBRARIES}/"))):
            yield name, path


def _all_files(dist: Distribution) -> Files:
    for top in _tops(dist):
        path = Path(str(dist.locate_file(top)))
        if path.is_dir():
            for name, file in walk(path):
                yield f"{LIBRARIES}/{top}/{name}", file
        elif path.is_file():
            yield f"{LIBRARIES}/{top}", path
        else:
            for file in sorted(path.parent.glob(f"{top}.py")) + sorted(path.parent.glob(f"{top}.*.so")):
                yield f"{LIBRARIES}/{file.name}", file


def _tops(dist: Distribution) -> list[str]:
    """Distributions of the system's package manager have no RECORD, but often a list of modules."""
    record = dist.read_text("RECORD") or ""
    tops = {line.split(",")[0].split("/")[0] for line in record.splitlines()}
    if not tops:
        listed = dist.read_text("top_level.txt") or dist.metadata["Name"].replace("-", "_")
        tops = set(listed.split())
    return sorted(top for top in tops if top not in ("", "..", "__pycache__") and not top.endswith(".dist-info"))


def metadata(dist: Distribution) -> tuple[str, bytes]:
    """Return the one file of a distribution's metadata that `importlib.metadata.version()` reads."""
    name = re.sub(r"[-_.]+", "_", dist.metadata["Name"])
    text = f"Metadata-Version: 2.1\nName: {dist.metadata['Name']}\nVersion: {dist.version}\n"
    return f"{LIBRARIES}/{name}-{dist.version}.dist-info/METADATA", text.encode()


def compiled(source: bytes, shown: str) -> bytes | None:
    """Compile a module to the content of a sourceless .pyc; None if it is no Python of this version.

    Assertions stay in. Tracebacks show the module as `shown`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = _settled(compile(source, shown, "exec", dont_inherit=True, optimize=0))
        except (SyntaxError, ValueError):
            return None
    # marshal tells objects with one reference from others, and interned texts (characters are shared by all modules)
    # from others, so the bytes would depend on what this process has seen
    kept = [*_parts(code), *map(sys.intern, ("", *map(chr, range(256))))]
    data = marshal.dumps(code)
    del kept
    return MAGIC_NUMBER + bytes(12) + data


def _settled(code: CodeType) -> CodeType:
    """Make each qualified name and the constants that say the same one text.

    From Python 3.12 on a code's qualified name is interned, and with it the constant that a class body sets
    `__qualname__` to, but only if this process has not interned the same text before.
    """
    names = {part.co_qualname: part.co_qualname for part in _parts(code) if isinstance(part, CodeType)}

    def settled(value: object) -> object:
        if isinstance(value, CodeType):
            return value.replace(co_consts=tuple(map(settled, value.co_consts)))
        if isinstance(value, (tuple, frozenset)):
            parts = list(map(settled, value))
            return value if all(map(is_, parts, value)) else type(value)(parts)
        return names.get(value, value) if isinstance(value, str) else value

    return code.replace(co_consts=tuple(map(settled, code.co_consts)))


def _parts(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, (tuple, frozenset)):
        for part in value:
            yield from _parts(part)
    elif isinstance(value, CodeType):
        yield from _parts(value.co_consts)
        yield from _parts(value.co_names + value.co_varnames + value.co_cellvars + value.co_freevars)
        yield from (value.co_filename, value.co_name, value.co_linetable)
        yield from (getattr(value, name, None) for name in ("co_qualname", "co_exceptiontable"))
