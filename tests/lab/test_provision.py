"""The provisioning of the lab, as far as it can be tested without building anything large."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.files import cache_dir
from khib_tui.kbuild.work import OBJECT_LINE
from khib_tui.lab.build import apt, cache, kernel, root, system

ONELINE = """
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/k] https://tool.example/apt bookworm stable
deb-src http://source.example/debian bookworm main
deb [ trusted=yes ] http://first.example/debian bookworm main contrib # ours
deb http://second.example/debian bookworm main
"""
DEB822 = """
Types: deb
URIs: https://tool.example/node
Suites: nodistro
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb deb-src
# a comment inside
URIs: http://multi.example/debian
 http://other.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /k
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIB_CACHE", str(tmp_path / "cache"))


def test_cache_dir_prefers_the_most_specific(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("KHIB_CACHE", "/own")
    assert cache_dir() == Path("/own")
    monkeypatch.delenv("KHIB_CACHE")
    assert cache_dir() == Path("/x/khib")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == Path("/h/.cache/khib")


def test_digest_tells_parts_apart(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("ab")
    assert cache.digest_of("ab") == cache.digest_of(b"ab") == cache.digest_of(file)
    assert cache.digest_of("a", "b") != cache.digest_of("ab") != cache.digest_of("b", "a")
    assert re.fullmatch("[0-9a-f]{16}", cache.digest_of())


def test_entry_is_built_once() -> None:
    made = [cache.entry("thing", lambda work: (work / "x").mkdir()) for _ in range(2)]
    assert made[0] == made[1] == cache_dir() / "thing"
    assert (made[0] / "x").is_dir()


def test_failed_build_leaves_nothing() -> None:
    def build(work: Path) -> None:
        (work / "half").touch()
        raise CommandFailed("no")

    with pytest.raises(CommandFailed):
        cache.entry("thing", build)
    assert [path.name for path in cache_dir().iterdir()] == [".thing.lock"]


def test_leftovers_of_a_killed_build_go() -> None:
    left = cache_dir() / ".thing.tmp-dead"
    left.mkdir(parents=True)
    cache.entry("thing", lambda work: None)
    assert not left.exists()


def test_second_builder_waits_for_the_first() -> None:
    builds: list[int] = []
    waited: list[int] = []
    inside = threading.Event()

    def slow(work: Path) -> None:
        builds.append(1)
        inside.set()
        time.sleep(0.3)

    first = threading.Thread(target=cache.entry, args=("thing", slow))
    first.start()
    assert inside.wait(5)
    cache.entry("thing", slow, lambda: waited.append(1))
    first.join()
    assert (builds, waited) == ([1], [1])


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("  CC      kernel/kexec_core.o\n", True),
        ("  AS      arch/x86/kernel/head_64.o\n", True),
        ("  HOSTCC  scripts/mod/modpost.o\n", True),
        ("  LD      vmlinux\n", False),
        ("  AR      built-in.a\n", False),
        ("make[1]: Entering directory CC \n", False),
    ],
)
def test_object_lines(line: str, counts: bool) -> None:
    assert bool(OBJECT_LINE.match(line)) is counts


def test_fragment_settings_that_do_not_stick_are_named() -> None:
    fragment = 'CONFIG_A=y\n# note\nCONFIG_S="x y"\n# CONFIG_N is not set\n# optional: some\nCONFIG_O=y\n'
    assert kernel.fragment_lines(fragment) == (["CONFIG_A=y", 'CONFIG_S="x y"'], ["CONFIG_O=y"])
    assert kernel.lost_settings(fragment, 'CONFIG_A=y\nCONFIG_S="x y"\n') == []
    assert kernel.lost_settings(fragment, "# CONFIG_A is not set\nCONFIG_AB=y\n") == ["CONFIG_A=y", 'CONFIG_S="x y"']


def test_own_fragment_is_tidy() -> None:
    text = kernel.FRAGMENT.read_text()
    names = re.findall(r"^(?:# )?(CONFIG_\w+)(?:=| is not set$)", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert {"CONFIG_KEXEC_JUMP", "CONFIG_DEVMEM", "CONFIG_SECURITY_LOCKDOWN_LSM", "CONFIG_VIRTIO_BLK"} <= set(names)
    assert text.count(kernel.OPTIONAL) == 1


def test_newest_source_compares_numbers(tmp_path: Path) -> None:
    for version in ("6.1", "6.12", "6.2"):
        (tmp_path / f"linux-source-{version}.tar.xz").touch()
    assert kernel.newest_source(tmp_path).name == "linux-source-6.12.tar.xz"


def test_missing_source_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        kernel.newest_source(tmp_path)
    assert caught.value.hint == "apt-get install linux-source"
    with pytest.raises(CommandFailed):
        kernel.source_key(tmp_path / "none")


def test_source_key_follows_name_ends_and_size(tmp_path: Path) -> None:
    source = tmp_path / "linux-source-1.tar.xz"
    data = bytearray(300_000)
    source.write_bytes(data)
    first = kernel.source_key(source)
    assert kernel.source_key(source) == first
    for changed in (data + b"x", b"x" + data[1:], data[:-1] + b"x"):
        source.write_bytes(changed)
        assert kernel.source_key(source) != first
    source.write_bytes(data)
    assert kernel.source_key(source.rename(tmp_path / "linux-source-2.tar.xz")) != first


def test_mirror_of_a_oneline_list(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(ONELINE)
    assert apt.debian_mirror("bookworm", tmp_path) == "http://first.example/debian"


def test_mirror_of_a_deb822_file(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert apt.debian_mirror("bookworm", tmp_path) == "http://multi.example/debian"
    with pytest.raises(CommandFailed, match="trixie"):
        apt.debian_mirror("trixie", tmp_path)


def test_host_suite(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('NAME="Debian GNU/Linux"\nVERSION_CODENAME=bookworm\n')
    assert apt.host_suite(release) == "bookworm"
    release.write_text("NAME=x\n")
    with pytest.raises(CommandFailed):
        apt.host_suite(release)


def test_partitions_are_aligned_and_fit() -> None:
    found = re.findall(r"start=(\d+), size=(\d+)", root.partition_table())
    (boot, boot_size), (main, main_size) = [(int(start) * 512, int(size) * 512) for start, size in found]
    assert boot % (1 << 20) == main % (1 << 20) == 0
    assert boot + boot_size == main
    assert root.DISK_SIZE - (main + main_size) >= 33 * 512


def test_guest_files_have_their_modes(tmp_path: Path) -> None:
    system.write_files(tmp_path)
    init = tmp_path / "usr/sbin/khib-init"
    assert init.stat().st_mode & 0o777 == 0o755
    assert init.read_text().startswith("#!/bin/sh\n")
