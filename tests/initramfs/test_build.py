"""The initramfs of B and C: complete, small, reproducible, and its Python runs without anything else."""

from __future__ import annotations

import gzip
import stat
import sys
from pathlib import Path

import pytest
import zstandard

from khib_tui import i18n
from khib_tui.events.types import Event, Progress, Stage
from khib_tui.formats.cpio import Entry, archive
from khib_tui.initramfs import build, elfdeps, pyfiles
from khib_tui.initramfs.packing import Compression, compress
from khib_tui.runner import run
from tests.formats.test_cpio import parse

MIB = 1 << 20
# all that B and C may come to need, on the screen and without
IMPORTS = (
    "urwid, msgspec, lz4.block, zstandard, xxhash, ctypes, mmap, khib_tui.cli, khib_tui.commands.restore, "
    "khib_tui.commands.save, "
    "khib_tui.saver.run, khib_tui.restorer.run, khib_tui.commands.arguments, khib_tui.restorer.vmcore_run, "
    "khib_tui.restorer.unlock, khib_tui.commands.machine, khib_tui.commands.image, khib_tui.target.catalog, "
    "khib_tui.seal.crypto, "
    "screens.progress.page, screens.restore.run, screens.restore.unlock, screens.restore.refused, "
    "cryptography.hazmat.primitives.ciphers.aead, cryptography.hazmat.primitives.kdf.argon2, "
    "cryptography.hazmat.primitives.kdf.hkdf"
)


def unpacked(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(packed)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def built(events: list[Event], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    marker = tmp_path_factory.mktemp("extra") / "marker"
    marker.write_text("here")
    secret = marker.with_name("secret")
    secret.touch(0o600)
    extra = {"/etc/marker": marker, "/etc/secret": secret, "/usr/bin/ssh": Path("/usr/bin/ssh")}
    return build.build(lambda event: events.append(event), extra=extra, compression=Compression.ZSTD)


@pytest.fixture(scope="module")
def entries(built: bytes) -> dict[str, tuple[int, bytes]]:
    return {name: (numbers[1], content) for name, numbers, content in parse(unpacked(built))}


@pytest.fixture(scope="module")
def tree(entries: dict[str, tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("tree")
    for name, (mode, content) in entries.items():
        path = top / name
        if stat.S_ISDIR(mode):
            path.mkdir()
        elif stat.S_ISLNK(mode):
            path.symlink_to(content.decode())
        elif stat.S_ISREG(mode):
            path.write_bytes(content)
            path.chmod(mode & 0o777)
    return top


def test_it_is_small_and_more_can_follow(built: bytes) -> None:
    assert len(built) < 20 * MIB
    assert len(unpacked(built)) < 68 * MIB
    assert len(built) % 512 == 0


def test_it_has_what_a_kernel_needs(entries: dict[str, tuple[int, bytes]]) -> None:
    mode, init = entries["init"]
    assert mode == stat.S_IFREG | 0o755
    first = init.decode().splitlines()[0]
    assert first.startswith("#!/usr/bin/python3") and first.endswith(" -IS")
    assert stat.S_ISREG(entries[first.split()[0].removeprefix("#!/")][0])
    assert all(stat.S_ISDIR(entries[name][0]) for name in ("proc", "sys", "dev", "run", "tmp", "mnt", "root"))
    assert all(stat.S_ISCHR(entries[f"dev/{name}"][0]) for name in ("console", "null", "urandom"))
    assert entries["etc/marker"][1] == b"here"
    assert "usr/share/terminfo/v/vt100" in entries


def test_what_is_added_keeps_its_secrecy_and_gets_its_libraries(entries: dict[str, tuple[int, bytes]]) -> None:
    assert entries["etc/secret"][0] == stat.S_IFREG | 0o600 and entries["etc/marker"][0] == stat.S_IFREG | 0o644
    assert entries["usr/bin/ssh"][0] == stat.S_IFREG | 0o755
    needed = elfdeps.closure({"usr/bin/ssh": Path("/usr/bin/ssh")})
    assert any("libcrypto" in name for name in needed) and needed.keys() <= entries.keys()


def test_parents_come_first(entries: dict[str, tuple[int, bytes]]) -> None:
    seen: set[str] = {"."}
    for name, (mode, _) in entries.items():
        assert str(Path(name).parent) in seen, name
        if stat.S_ISDIR(mode):
            seen.add(name)


def test_modules_are_sourceless_and_unneeded_ones_are_out(entries: dict[str, tuple[int, bytes]]) -> None:
    assert not [name for name in entries if name.endswith(".py")]
    parts = {part for name in entries for part in name.split("/")}
    assert parts.isdisjoint({"lab", "idlelib", "tkinter", "tests", "__pycache__", "pytest", "mypy", "pip", "hypothesis"})
    assert "usr/lib/khib/khib_tui/init.pyc" in entries


def test_it_tells_how_far_it_is(built: bytes, events: list[Event]) -> None:
    stages = [event.status for event in events if isinstance(event, Stage)]
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert stages == ["started", "done"]
    assert (last.unit, last.done) == ("files", last.total)


def test_building_again_gives_the_same(built: bytes, tmp_path: Path) -> None:
    # another process, which has seen other modules, with another hash seed
    marker, secret, out = tmp_path / "marker", tmp_path / "secret", tmp_path / "out"
    marker.write_text("here")
    secret.touch(0o600)
    code = (
        "import sys, decimal, wsgiref.handlers; from pathlib import Path; from khib_tui.initramfs import build;"
        "extra = {'etc/marker': Path(sys.argv[1]), 'etc/secret': Path(sys.argv[2]), 'usr/bin/ssh': Path('/usr/bin/ssh')};"
        "data = build.build(lambda event: None, extra=extra, compression='zstd');"
        "Path(sys.argv[3]).write_bytes(data)"
    )
    run([sys.executable, "-c", code, marker, secret, out], cwd=Path(build.__file__).parents[2])
    assert out.read_bytes() == built


def test_its_python_runs_from_the_tree_alone(tree: Path) -> None:
    library = next((tree / "usr").glob("lib*/python3*"))
    paths = [str(library), str(library / "lib-dynload"), str(tree / pyfiles.LIBRARIES)]
    code = f"import sys; sys.path[:] = {paths!r}; import {IMPORTS}; import argparse; print(argparse.__file__, urwid.__file__)"
    lines = run([pyfiles.interpreter(), "-I", "-S", "-E", "-c", code]).stdout.split()
    assert lines == [str(library / "argparse.pyc"), str(tree / pyfiles.LIBRARIES / "urwid/__init__.pyc")]


def test_it_speaks_the_language_whose_texts_are_packed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = next((tree / "usr").glob("lib*/python3*"))
    paths = [str(library), str(library / "lib-dynload"), str(tree / pyfiles.LIBRARIES)]
    code = f"import sys; sys.path[:] = {paths!r}; from khib_tui import i18n; i18n.use('de'); print(i18n._('Back'))"
    assert run([pyfiles.interpreter(), "-I", "-S", "-E", "-c", code]).stdout == "Back\n", "without a catalogue it is English"
    monkeypatch.setenv("LANGUAGE", "de")
    packed = {name: path for name, path in pyfiles.own_packages() if "locale" in name}
    for name, path in packed.items():
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_bytes(path.read_bytes())
    assert run([pyfiles.interpreter(), "-I", "-S", "-E", "-c", code]).stdout == "Zurück\n"


def test_its_own_interpreter_and_libraries_work(tree: Path, entries: dict[str, tuple[int, bytes]]) -> None:
    wants = elfdeps.dynamic(pyfiles.interpreter())
    loader = tree / elfdeps.placed(wants.interpreter)
    folder = tree / Path(next(name for name in entries if name.endswith("/libc.so.6"))).parent
    code = (
        f"import ctypes, sys; sys.path.append('{tree / pyfiles.LIBRARIES}'); import zstandard, lz4.block;"
        "print(sys.prefix, open('/proc/self/maps').read())"
    )
    python = tree / pyfiles.INTERPRETER_DIR / pyfiles.interpreter().name
    out = run([loader, "--library-path", folder, python, "-IS", "-c", code]).stdout
    used = {line.split()[-1] for line in out.splitlines() if line.endswith((".so", ".so.6", ".so.1"))}
    assert used and all(path.startswith(str(tree)) for path in used)


def test_tracebacks_name_modules_without_this_machine(entries: dict[str, tuple[int, bytes]]) -> None:
    content = entries["usr/lib/khib/khib_tui/model/units.pyc"][1]
    assert b"khib_tui/model/units.py" in content
    assert str(Path(build.__file__).parents[2]).encode() not in b"".join(data for _, data in entries.values())


def legacy_end(packed: bytes) -> int:
    """Follow the blocks to the size of zero, where the kernel stops."""
    at = 4
    while size := int.from_bytes(packed[at : at + 4], "little"):
        at += 4 + size
    return at


@pytest.mark.parametrize("kind", Compression)
def test_what_is_compressed_is_unpacked_by_the_programs_everybody_has(tmp_path: Path, kind: Compression) -> None:
    data = archive([Entry("a", 0o100644, bytes(9 * MIB) + b"x")])
    packed = compress(data, kind)
    assert len(packed) % 512 == 0
    match kind:
        case Compression.GZIP:
            assert gzip.decompress(packed) == data
        case Compression.ZSTD:
            assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == data
        case Compression.LZ4:
            (tmp_path / "packed").write_bytes(packed[: legacy_end(packed)])
            run(["lz4", "-d", "-f", tmp_path / "packed", tmp_path / "plain"])
            assert (tmp_path / "plain").read_bytes() == data


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({}, "gzip"),
        ({"RD_ZSTD": "y", "RD_GZIP": "y"}, "zstd"),
        ({"RD_LZ4": "y", "RD_ZSTD": "y"}, "lz4"),
        ({"RD_LZ4": "n"}, "gzip"),
    ],
)
def test_the_compression_is_one_that_the_kernel_unpacks(config: dict[str, str], kind: str) -> None:
    assert Compression.best(config) == kind


def test_the_key_follows_the_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "marker"
    keys = {build.inputs_digest(), build.inputs_digest(), build.inputs_digest(extra={"m": marker})}
    marker.write_text("now it is there")
    keys |= {build.inputs_digest(extra={"m": marker}), build.inputs_digest(names=["ext4"], modules_release="none")}
    keys |= {build.inputs_digest(compression=Compression.GZIP)}
    keys |= {build.inputs_digest(keymap=b"other keys")}
    monkeypatch.setenv("LANGUAGE", "de")
    keys |= {build.inputs_digest()}
    assert len(keys) == 7


def test_install_builds_once_and_keeps_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def built(sink: object, **arguments: object) -> bytes:
        calls.append("built")
        return b"packed"

    monkeypatch.setattr(build, "build", built)
    path = tmp_path / "initramfs.img"
    for _ in range(2):
        build.install(lambda event: None, path, "no-such-release", {})
    assert (path.read_bytes(), calls) == (b"packed", ["built"])
    path.with_suffix(".key").write_text("stale\n")
    build.install(lambda event: None, path, "no-such-release", {})
    assert len(calls) == 2
    path.write_bytes(b"mine")
    path.with_suffix(".key").write_text("given\n")
    build.install(lambda event: None, path, "no-such-release", {})
    assert (path.read_bytes(), len(calls)) == (b"mine", 2)


def test_another_language_makes_it_anew_but_english_takes_it_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def built(sink: object, **arguments: object) -> bytes:
        made.append(i18n.language())
        return b"packed"

    monkeypatch.setattr(build, "build", built)
    for language in ("en", "de", "de", "en", "de"):
        monkeypatch.setenv("LANGUAGE", language)
        build.install(lambda event: None, tmp_path / "initramfs.img", "no-such-release", {})
    assert made == ["", "de"]
