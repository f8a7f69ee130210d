"""Whole cycles on other machines: NUMA nodes, memory that could be plugged in, IOMMUs, the old chipset."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.events.types import Event, Failure, Finding, LabResult, Severity
from khib_tui.lab import demo
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import PATIENCE, prepare
from tests.kit.lab_kit import MEMORY, options, print_event

pytestmark = pytest.mark.lab
# Takes 60 MiB of the region away, but not where kernel, initramfs and the way back lie.
LESS = f"{PATIENCE} memmap=60M%0x2800000-1+2"


def cycle(directory: Path, **machine: object) -> LabResult:
    """Play a cycle, which must hold."""
    events: list[Event] = []
    code = demo.play(options(**({"fill": 40} | machine)), directory, events.append)
    result = events[-1]
    assert code == 0 and isinstance(result, LabResult), events[-5:]
    assert result.resumed and result.memory_intact and result.disks_identical and result.fsck_clean
    return result


def test_nodes_with_memory_above_4_gib(tmp_path: Path) -> None:
    """SRAT makes a kernel believe in memory above 4 GiB, for which it would set 64 MiB aside."""
    cycle(tmp_path, memory=MEMORY, below_4g=512, numa=True, rehearse=True)
    assert "Initramfs unpacking failed" not in (tmp_path / "console.log").read_text(errors="replace")


@pytest.mark.long
@pytest.mark.parametrize(
    "machine",
    [
        pytest.param({"memory": 5120, "numa": True, "fill": 10}, id="numa-5g"),
        pytest.param({"hotplug": True}, id="hotplug"),
        pytest.param({"iommu": "intel"}, id="intel-iommu"),
        pytest.param({"iommu": "amd"}, id="amd-iommu"),
        pytest.param({"chipset": "pc"}, id="pc"),
    ],
)
def test_the_cycle_holds_on(tmp_path: Path, machine: dict[str, object]) -> None:
    cycle(tmp_path, **machine)


@pytest.mark.long
def test_a_memory_module_that_the_firmware_does_not_list_is_refused_at_once(tmp_path: Path) -> None:
    session = Session(prepare(options(dimm=True), tmp_path, print_event), print_event)
    session.boot_a()
    try:
        code, events = session.run("check")
        found = {event.ident: event for event in events if isinstance(event, Finding) and event.severity == Severity.BLOCKER}
        assert code == 4 and set(found) == {"HIB-E-ADDED-RAM"}
        assert "256.0 MiB" in found["HIB-E-ADDED-RAM"].what and found["HIB-E-ADDED-RAM"].fix
        code, events = session.run("hibernate")
        assert code == 4 and [event.ident for event in events if isinstance(event, Failure)] == ["HIB-E-ADDED-RAM"]
        assert session.read("/sys/kernel/kexec_loaded").strip() == "0"
    finally:
        session.end()


@pytest.mark.long
def test_a_saver_with_too_little_memory_goes_back_with_the_figures(tmp_path: Path) -> None:
    lab = prepare(options(), tmp_path, print_event)
    session = Session(lab, print_event)
    session.boot_a()
    try:
        session.program("sh", "-c", f"sed 's/^options = .*/options = \"{LESS}\"/' /opt/khib/khib.toml >/run/less.toml")
        session.settings = "/run/less.toml"
        session.ask("fill", percent=10, shadow=lab.shadow)
        session.ask("remember", deep=False)
        code, events = session.run("rehearse")
        (failure,) = [event for event in events if isinstance(event, Failure)]
        assert code == 6 and failure.ident == "HIB-E-SAVER-MEMORY"
        assert "--region" in failure.hint and "MiB of its memory free" in failure.message
        assert session.ask("check", deep=False)["intact"]
    finally:
        session.end()
