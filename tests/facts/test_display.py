"""What drives the screen, and what another kernel needs for it."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.display import driver_bytes, firmware_files, names, read_display
from khib_tui.facts.kmod import Index
from khib_tui.model.machine import Display

LOG = (
    "6,700,1,-;i915 0000:00:02.0: [drm] Finished loading DMC firmware i915/adlp_dmc.bin (v2.20)\n"
    "6,701,1,-;nonsense i915/../../etc/shadow.bin and i915/adlp_dmc.bin again\n"
)


def card(root: Path, driver: str, module: bool = True, log: str = LOG) -> Display:
    device = root / "sys/devices/pci0/0000:00:02.0"
    (device / "drm/card0").mkdir(parents=True)
    (device / "modalias").write_text("pci:v00008086d00001234bc03sc00i00\n")
    bus = root / "sys/bus/pci/drivers" / driver
    bus.mkdir(parents=True)
    if module:
        (root / "sys/module" / driver).mkdir(parents=True)
        (bus / "module").symlink_to(root / "sys/module" / driver)
    (device / "driver").symlink_to(bus)
    (root / "sys/class/drm").mkdir(parents=True)
    (root / "sys/class/drm/card0").symlink_to(device / "drm/card0")
    (root / "sys/class/drm/card0-eDP-1").mkdir()
    (device / "drm/card0/device").symlink_to(device)
    (root / "dev").mkdir()
    (root / "dev/kmsg").write_text(log)
    return read_display(root)


def test_a_driver_of_its_own_is_found_with_its_firmware(tmp_path: Path) -> None:
    assert card(tmp_path, "i915") == Display("i915", "pci:v00008086d00001234bc03sc00i00", ("i915/adlp_dmc.bin",))


def test_a_driver_that_is_built_in_has_a_name_too(tmp_path: Path) -> None:
    assert card(tmp_path, "bochs-drm", module=False).module == "bochs_drm"


def test_the_firmwares_framebuffer_is_no_driver(tmp_path: Path) -> None:
    assert card(tmp_path, "simple-framebuffer") == Display() == read_display(tmp_path / "nothing")


def test_what_another_kernel_needs_is_counted(tmp_path: Path) -> None:
    display = card(tmp_path, "i915")
    top = tmp_path / "lib/modules/6.12"
    for name, count in (("kernel/drm.ko.xz", 10), ("kernel/i915.ko.xz", 100)):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(bytes(count))
    (top / "modules.dep").write_text("kernel/drm.ko.xz:\nkernel/i915.ko.xz: kernel/drm.ko.xz\n")
    (tmp_path / "lib/firmware/i915").mkdir(parents=True)
    (tmp_path / "lib/firmware/i915/adlp_dmc.bin").write_bytes(bytes(1000))
    assert [path.name for path in firmware_files(display, tmp_path)] == ["adlp_dmc.bin"]
    assert driver_bytes(display, top, tmp_path) == 7 * 110 + 1000
    assert driver_bytes(Display(), top, tmp_path) == 0 == driver_bytes(display, tmp_path / "none", tmp_path)


def test_a_driver_of_another_name_is_found_by_its_device(tmp_path: Path) -> None:
    (tmp_path / "modules.dep").write_text("kernel/bochs.ko:\n")
    (tmp_path / "modules.alias").write_text("alias pci:v00001234d00001111* bochs\n")
    assert names(Display("bochs_drm", "pci:v00001234d00001111sv0"), Index(tmp_path)) == ["bochs"]
