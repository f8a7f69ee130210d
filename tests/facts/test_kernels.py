"""The kernels in /boot, in the order in which they are offered."""

from __future__ import annotations

from khib_tui.model.machine import Machine


def test_kernels(laptop: Machine) -> None:
    found = [(kernel.path, kernel.release, kernel.relocatable) for kernel in laptop.kernels]
    assert found == [
        ("/boot/vmlinuz-6.1.0-18-amd64", "6.1.0-18-amd64", True),
        ("/boot/khib/vmlinuz", "6.1.0-18-amd64", True),
        ("/boot/vmlinuz-6.1.0-9-amd64", "6.1.0-9-amd64", False),
    ]
    assert [kernel.config for kernel in laptop.kernels] == [laptop.config, laptop.config, {"DEVMEM": "y"}]
    assert (laptop.kernels[0].pref_address, laptop.kernels[0].init_size) == (0x1000000, 0x12AB000)
