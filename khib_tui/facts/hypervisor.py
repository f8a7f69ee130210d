"""What a hypervisor does to this machine's memory: balloons, hot-plug, Xen's own page tables."""

from __future__ import annotations

import re
from pathlib import Path

from khib_tui.facts.read import names, number, text

# Drivers by which the host can plug memory at any time: they must not be bound at all.
_PLUGGING = ("sys/bus/virtio/drivers/virtio_mem", "sys/bus/vmbus/drivers/hv_balloon")
_VIRTIO_BALLOON = "sys/bus/virtio/drivers/virtio_balloon"
_VMWARE = "sys/kernel/debug/vmmemctl"
_XEN_MEMORY = "sys/devices/system/xen_memory/xen_memory0/info"
_DEVICE = re.compile(r"virtio\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def balloon(root: Path) -> bool:
    """Return whether the host has taken memory away, or can plug some: virtio, Hyper-V, VMware and Xen."""
    if any(_bound(root / driver) for driver in _PLUGGING):
        return True
    counters = dict(re.findall(r"^(balloon_\w+) (\d{1,18})$", text(root / "proc/vmstat"), re.MULTILINE))
    unknown = int(_bound(root / _VIRTIO_BALLOON))
    # Every driver of the common balloon code counts here.
    if int(counters.get("balloon_inflate", unknown)) > int(counters.get("balloon_deflate", 0)):
        return True
    vmware = re.findall(r"^(?:target|current): +(\d{1,18}) pages", text(root / _VMWARE), re.MULTILINE)
    xen = number(root / _XEN_MEMORY / "low_kb") + number(root / _XEN_MEMORY / "high_kb")
    return any(int(count) for count in vmware) or xen > 0


def _bound(driver: Path) -> bool:
    return any(_DEVICE.fullmatch(name) for name in names(driver))


def xen(root: Path) -> str:
    """Return the kind of Xen domain this is (`dom0`, `PV`, `PVH`, `HVM`, or `domain` if unknown), or ''."""
    if text(root / "sys/hypervisor/type", 64) != "xen" and not (root / "proc/xen/capabilities").exists():
        return ""
    if "control_d" in text(root / "proc/xen/capabilities", 256):
        return "dom0"
    kind = text(root / "sys/hypervisor/guest_type", 64)
    return kind if kind in ("PV", "PVH", "HVM") else "domain"
