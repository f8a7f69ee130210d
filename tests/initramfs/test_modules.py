"""The modules of a kernel that a machine needs."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from khib_tui.decide.target import DRIVERS
from khib_tui.errors import KhibError, Refused
from khib_tui.facts import kmod
from khib_tui.initramfs import modules, unpack
from khib_tui.model.target import FILE_SYSTEMS

KEYBOARD = "402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe\n"


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A root with the modules of kernel 6.1 and a machine with one disk and one keyboard."""
    top = tmp_path / "lib/modules/6.1"
    for name, suffix, pack in (
        ("a", ".xz", lzma.compress),
        ("b", ".zst", zstandard.compress),
        ("c-d", "", bytes),
        ("e", ".gz", gzip.compress),
    ):
        path = top / f"kernel/{name}.ko{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack(b"module " + name.encode()))
    (top / "modules.dep").write_text(
        "kernel/a.ko.xz: kernel/b.ko.zst kernel/c-d.ko\nkernel/b.ko.zst: kernel/c-d.ko\nkernel/c-d.ko:\nkernel/e.ko.gz:\n"
    )
    (top / "modules.builtin").write_text("kernel/drivers/built-in.ko\n")
    devices = tmp_path / "sys/devices/pci0/0000:00:01.0"
    for place, driver in (
        (devices, "a"),
        (devices / "virtio0", "b"),
        (devices / "usb1", "built_in"),
        (devices / "usb1/hid", "e"),
    ):
        module = tmp_path / "sys/module" / driver
        module.mkdir(parents=True, exist_ok=True)
        drivers = tmp_path / "sys/bus/drivers" / driver
        drivers.mkdir(parents=True)
        (drivers / "module").symlink_to(module)
        place.mkdir(parents=True)
        (place / "driver").symlink_to(drivers)
    for kind, device in (("block", devices / "virtio0/block/vda"), ("input", devices / "usb1/hid/input/input3")):
        device.mkdir(parents=True)
        (tmp_path / "sys/class" / kind).mkdir(parents=True)
        (tmp_path / "sys/class" / kind / device.name).symlink_to(device)
    (devices / "usb1/hid/input/input3/capabilities").mkdir()
    (devices / "usb1/hid/input/input3/capabilities/key").write_text(KEYBOARD)
    loop = tmp_path / "sys/devices/virtual/block/loop0"
    loop.mkdir(parents=True)
    (tmp_path / "sys/class/block/loop0").symlink_to(loop)
    return tmp_path


def test_modules_of_this_machine(kernel: Path) -> None:
    assert modules.needed_for(kernel, wished=["ext4"]) == ["ext4", "a", "b", "built_in", "e"]


def test_modules_come_after_what_they_need(kernel: Path) -> None:
    names = modules.needed_for(kernel)
    found = modules.closure("6.1", names, kernel)
    assert [path.name for path in found] == ["c-d.ko", "b.ko.zst", "a.ko.xz", "e.ko.gz"]
    assert [unpack.content(path) for path in found] == [b"module c-d", b"module b", b"module a", b"module e"]
    assert [kmod.plain_name(path).name for path in found] == ["c-d.ko", "b.ko", "a.ko", "e.ko"]


def test_a_sound_card_s_jack_is_no_keyboard(kernel: Path) -> None:
    (kernel / "sys/devices/pci0/0000:00:01.0/usb1/hid/input/input3/capabilities/key").write_text("0\n")
    assert modules.needed_for(kernel, wished=[]) == ["a", "b"]


def test_drivers_of_another_kernel_are_found_by_the_device(kernel: Path) -> None:
    bus = kernel / "sys/devices/pci0/0000:00:01.0"
    (bus / "modalias").write_text("pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00\n")
    (bus / "virtio0/modalias").write_text("virtio:d00000002v00001AF4\n")
    socket = kernel / "sys/devices/pci0/0000:00:02.0"
    unused = kernel / "sys/devices/pci0/0000:00:03.0"
    for place, kind in ((socket, "0c03"), (unused, "0403")):
        place.mkdir()
        (place / "class").write_text(f"0x{kind}30\n")
        (place / "modalias").write_text(f"pci:v00001B36d0000000Dsv00001AF4sd00001100bc{kind[:2].upper()}sc{kind[2:]}i30\n")
        (kernel / "sys/bus/pci/devices").mkdir(parents=True, exist_ok=True)
        (kernel / "sys/bus/pci/devices" / place.name).symlink_to(place)
    (kernel / "lib/modules/6.1/modules.alias").write_text(
        "# aliases\nalias virtio:d00000002v* a\nalias pci:v*d*sv*sd*bc0Csc03i30* c-d\nalias pci:v*d*sv*sd*bc04sc03i* e\n"
    )
    assert modules.for_devices("6.1", kernel) == ["a", "c_d"]
    assert modules.for_devices("7.0", kernel) == []


def test_what_a_module_asks_for_is_loaded_around_it(kernel: Path) -> None:
    top = kernel / "lib/modules/6.1"
    (top / "modules.softdep").write_text("# soft\nsoftdep a pre: crypto-e post: gone\nsoftdep c-d post: a\n")
    (top / "modules.alias").write_text("alias crypto-e e\n")
    assert [path.name for path in modules.closure("6.1", ["a"], kernel)] == ["e.ko.gz", "c-d.ko", "b.ko.zst", "a.ko.xz"]
    assert modules.closure("6.1", ["c_d"], kernel)[0].name == "c-d.ko"


def test_drivers_that_a_kernel_lacks(kernel: Path) -> None:
    assert modules.missing("6.1", ["a", "c_d", "built-in", "ext4", "gone"], kernel) == ["gone"]
    assert modules.closure("6.1", ["gone", "e"], kernel) == [kernel / "lib/modules/6.1/kernel/e.ko.gz"]
    assert modules.closure("7.0", ["a"], kernel) == []


def test_a_damaged_module_is_named(kernel: Path) -> None:
    path = kernel / "lib/modules/6.1/kernel/a.ko.xz"
    path.write_bytes(b"rubbish")
    with pytest.raises(KhibError, match=r"a\.ko\.xz is damaged"):
        unpack.content(path)


@pytest.fixture
def filesystems(tmp_path: Path) -> Path:
    """A root with kernel 6.2, which has xfs and btrfs as modules, ext4 built in, and no vfat."""
    top = tmp_path / "lib/modules/6.2"
    names = ("xfs", "btrfs", "libcrc32c", "xor", "raid6_pq", "blake2b_generic")
    top.mkdir(parents=True)
    needs = {"xfs": "libcrc32c", "btrfs": "raid6_pq xor libcrc32c"}
    rows = [f"kernel/{name}.ko: " + " ".join(f"kernel/{it}.ko" for it in needs.get(name, "").split()) for name in names]
    (top / "modules.dep").write_text("\n".join(rows))
    (top / "modules.builtin").write_text("kernel/fs/ext4/ext4.ko\n")
    return tmp_path


@pytest.mark.parametrize(
    ("fstype", "expected"),
    [
        ("xfs", ["libcrc32c", "xfs"]),
        ("btrfs", ["libcrc32c", "blake2b_generic", "xor", "raid6_pq", "btrfs"]),
        ("ext4", ["libcrc32c"]),
        ("ext3", ["libcrc32c"]),
        ("ext2", ["libcrc32c"]),
    ],
)
def test_the_driver_of_the_targets_filesystem_is_packed_with_all_it_needs(
    filesystems: Path, fstype: str, expected: list[str]
) -> None:
    names = modules.for_filesystem(fstype, "6.2", {}, filesystems)
    assert [path.stem for path in modules.closure("6.2", names, filesystems)] == expected


@pytest.mark.parametrize(
    ("release", "config", "fit"),
    [("6.2", {}, False), ("6.2", {"VFAT_FS": "y"}, True), ("6.2", {"VFAT_FS": "m"}, False), ("", {"VFAT_FS": "m"}, False),
     ("", {"VFAT_FS": "y"}, True), ("", {}, True)],
)  # fmt: skip
def test_a_kernel_without_the_driver_is_refused(filesystems: Path, release: str, config: dict[str, str], fit: bool) -> None:
    if fit:
        assert "vfat" in modules.for_filesystem("vfat", release, config, filesystems)
        return
    with pytest.raises(Refused) as caught:
        modules.for_filesystem("vfat", release, config, filesystems)
    assert caught.value.ident == "HIB-E-FS-DRIVER" and caught.value.hint


def test_there_is_a_driver_for_each_filesystem_that_takes_a_file() -> None:
    for fstype in FILE_SYSTEMS:
        assert modules.for_filesystem(fstype, "", {}) and DRIVERS[fstype]
