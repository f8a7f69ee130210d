"""What a host does to this machine's memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import hypervisor
from khib_tui.facts.probe import probe
from tests.kit import fakeroot
from tests.kit.faketree import Content, tree

HYPER_V = "sys/bus/vmbus/drivers/hv_balloon"
XEN = "sys/devices/system/xen_memory/xen_memory0/info"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, False),
        ({"sys/bus/virtio/drivers/virtio_mem/virtio3": ""}, True),
        ({"sys/bus/virtio/drivers/virtio_mem/bind": ""}, False),
        ({"sys/bus/virtio/drivers/virtio_balloon/virtio3": ""}, True),
        ({"sys/bus/virtio/drivers/virtio_balloon/virtio3": "", "proc/vmstat": "balloon_inflate 9\n"}, True),
        (
            {"sys/bus/virtio/drivers/virtio_balloon/virtio3": "", "proc/vmstat": "balloon_inflate 9\nballoon_deflate 9\n"},
            False,
        ),
        ({"proc/vmstat": "balloon_inflate 9\nballoon_deflate 8\n"}, True),
        ({"proc/vmstat": "balloon_inflate 9\nballoon_deflate 9\n"}, False),
        ({f"{HYPER_V}/1eccfd72-4b41-45ef-b73a-4a6e44c12924": ""}, True),
        ({f"{HYPER_V}/module/": None, f"{HYPER_V}/bind": ""}, False),
        ({"sys/kernel/debug/vmmemctl": "target:   262144 pages\ncurrent:       0 pages\n"}, True),
        ({"sys/kernel/debug/vmmemctl": "target:        0 pages\ncurrent:       0 pages\n"}, False),
        ({f"{XEN}/low_kb": "1024\n", f"{XEN}/high_kb": "0\n"}, True),
        ({f"{XEN}/low_kb": "0\n", f"{XEN}/high_kb": "0\n"}, False),
    ],
)
def test_balloon(tmp_path: Path, files: dict[str, Content], expected: bool) -> None:
    assert hypervisor.balloon(tree(tmp_path, files)) is expected


def test_a_balloon_of_hyper_v_or_vmware_is_a_fact(tmp_path: Path) -> None:
    assert probe(fakeroot.make(tmp_path, "18-hyperv-vmware-balloon")).balloon


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({}, ""),
        ({"sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "control_d\n"}, "dom0"),
        ({"sys/hypervisor/type": "xen\n", "sys/hypervisor/guest_type": "PV\n"}, "PV"),
        ({"sys/hypervisor/type": "xen\n", "sys/hypervisor/guest_type": "HVM\n", "proc/xen/capabilities": ""}, "HVM"),
        ({"proc/xen/capabilities": ""}, "domain"),
        ({"sys/hypervisor/type": "other\n"}, ""),
    ],
)
def test_xen(tmp_path: Path, files: dict[str, Content], kind: str) -> None:
    assert hypervisor.xen(tree(tmp_path, files)) == kind
