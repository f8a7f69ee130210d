"""The tools, the room and the source of a build; the kernel's symbols and its modules; the package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed, Refused
from khib_tui.kbuild import abi, deb, make, source, tools
from khib_tui.kbuild import work as works
from khib_tui.kbuild.stock import Stock
from khib_tui.kbuild.tools import Tool
from khib_tui.kbuild.work import Work, refuse_little_room
from khib_tui.runner import run
from tests.kit.kbuild_kit import LAYOUT, RELEASE, VERSION, kernel_source
from tests.kit.saved import nothing


def test_what_is_missing_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    asked = [Tool("sh", "dash"), Tool("/usr", "base"), Tool("/usr/none.h", "libnone-dev"), Tool("no-such", "libnone-dev")]
    assert tools.missing(asked, tmp_path) == ["libnone-dev"]
    with pytest.raises(Refused) as caught:
        tools.refuse_missing([Tool("no-such", "a-package"), Tool("nor-this", "another")])
    assert caught.value.hint == "apt install a-package another"


def test_types_and_packages_need_more() -> None:
    config = {"DEBUG_INFO_BTF": "y"}
    assert Tool("pahole", "dwarves") in tools.needed(config, whole=False)
    whole = {tool.package for tool in tools.needed(config, whole=True)}
    assert "dwarves" not in whole and "debhelper" in whole


def test_too_little_room_is_refused_with_both_sizes(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "8.0 GiB" in refuse_little_room(work)
    monkeypatch.setattr(works, "SOURCE_ROOM", 1 << 60)
    with pytest.raises(Refused) as caught:
        refuse_little_room(work)
    assert caught.value.ident == "HIB-E-BUILD-ROOM" and "are free" in caught.value.message


def test_two_do_not_build_in_one_folder(work: Work) -> None:
    with work.held(), pytest.raises(Refused) as caught, work.held():
        pass
    assert caught.value.ident == "HIB-E-BUILD-BUSY"
    with work.held():
        pass


def test_a_tree_is_there_when_it_is_whole(work: Work) -> None:
    found = source.archive(work)
    assert found
    data = found.read_bytes()
    found.write_bytes(data[:-100])
    with pytest.raises(CommandFailed):
        source.unpack(work, found)
    assert not work.tree.exists()
    found.write_bytes(data)
    source.unpack(work, found)
    assert (work.tree / "Makefile").is_file()


def test_an_installed_source_serves_if_its_version_is_the_kernels(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "src/linux-source-6.1.tar.xz"
    kernel_source(installed)
    for path in work.source.iterdir():
        path.unlink()
    for version, found in ((VERSION, installed), ("6.1.28-1", None)):
        monkeypatch.setattr(source, "_installed_version", lambda _, version=version: version)
        assert source.archive(work, installed.parent) == found


def test_a_version_that_apt_has_no_more_is_told(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(work.stock), "package", "linux-source-0.1")
    with pytest.raises(CommandFailed, match=r"linux-source-0\.1") as caught:
        source.fetch(work)
    assert caught.value.ident == "HIB-E-BUILD-SOURCE" and VERSION in str(caught.value.hint)


def built(work: Work) -> None:
    found = source.archive(work)
    assert found
    source.unpack(work, found)
    make.configure(work, [])
    make.compile_all(work, nothing)


def test_modules_fit_a_kernel_with_the_same_symbols(work: Work) -> None:
    built(work)
    assert abi.compare(work, nothing) == 2


@pytest.mark.parametrize(
    ("symbols", "kind", "words"),
    [
        ({"printk": 0x4321}, "SMP", "one.ko has another printk"),
        ({"other": 1}, "SMP", "the kernel lacks printk"),
        ({"printk": 0x1234}, "UP", "kernel of another kind"),
        ({"printk": 0x1234, "helper": 8}, "SMP", "one.ko has another helper"),
    ],
)
def test_modules_that_do_not_fit_are_named(work: Work, symbols: dict[str, int], kind: str, words: str) -> None:
    kernel_source(work.source / f"{work.stock.package}.tar.xz", symbols, kind)
    built(work)
    with pytest.raises(CommandFailed, match=words) as caught:
        abi.compare(work, nothing)
    assert "--whole" in str(caught.value.hint)


def test_modules_of_another_structure_are_seen_before_all_is_compiled(work: Work) -> None:
    for layout in (LAYOUT, LAYOUT + 1):
        kernel_source(work.source / f"{work.stock.package}.tar.xz", layout=layout)
        shutil.rmtree(work.tree, ignore_errors=True)
        found = source.archive(work)
        assert found
        source.unpack(work, found)
        if layout == LAYOUT:
            abi.try_layout(work)
            continue
        with pytest.raises(CommandFailed, match="another module_layout"):
            abi.try_layout(work)


def test_a_damaged_module_is_no_module_that_fits(work: Work) -> None:
    built(work)
    (work.stock.modules / "kernel/fs/bad.ko.xz").write_bytes(b"\xfd7zXZ\0" + bytes(20))
    with pytest.raises(CommandFailed, match="bad"):
        abi.compare(work, nothing)


def test_the_package_is_as_debians_but_for_its_modules(work: Work, tmp_path: Path) -> None:
    built(work)
    deb.stage(work, ["KEXEC_JUMP=y: so that it can jump"])
    package = deb.pack(work)
    assert deb.built(work) == [package] and not work.stage.exists()
    fields = run(["dpkg-deb", "--field", package]).stdout
    assert f"Package: linux-image-{RELEASE}-khib" in fields and f"linux-image-{RELEASE} (= {VERSION})" in fields
    out = tmp_path / "out"
    run(["dpkg-deb", "--raw-extract", package, out])
    folder = out / f"usr/lib/modules/{RELEASE}-khib"
    assert folder.joinpath("kernel").readlink() == Path(f"../{RELEASE}/kernel")
    assert (folder / "modules.builtin").is_file() and (out / f"boot/vmlinuz-{RELEASE}-khib").is_file()
    assert "KEXEC_JUMP" in (out / f"usr/share/doc/linux-image-{RELEASE}-khib/copyright").read_text()
    for name in ("preinst", "postinst", "prerm", "postrm"):
        run(["sh", "-n", out / "DEBIAN" / name])
    assert f"depmod {RELEASE}-khib" in (out / "DEBIAN/postinst").read_text()


def test_a_kernel_without_a_list_of_symbols_fits_nothing(stock: Stock, work: Work) -> None:
    work.tree.mkdir(parents=True)
    with pytest.raises(CommandFailed, match="no list"):
        abi.exported(work.tree)
