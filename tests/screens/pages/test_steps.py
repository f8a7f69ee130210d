"""The questions of the wizard, each alone: what an answer changes, and what is refused in the engine's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.events.sinks import quiet
from khib_tui.model.boot import LoaderKind
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.machine import Machine
from khib_tui.model.units import MIB
from khib_tui.plan.seal import KeepSeal
from khib_tui.plan.step import Context
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Cipher
from screens.wizard.boot import BootPage
from screens.wizard.checks import ChecksPage
from screens.wizard.kernel import KernelPage
from screens.wizard.memory import MemoryPage
from screens.wizard.options import OptionsPage
from screens.wizard.review import ReviewPage
from screens.wizard.step import StepPage
from screens.wizard.target import TargetPage
from tests.kit.fakeflow import FakeFlow
from tests.kit.machines import BIOS, FEDORA, changed
from tests.kit.pages import chosen, make
from tests.kit.screens_kit import at_cursor, press, shown, until

Way = Sequence[tuple[str, str] | Sequence[str]]
FIRST = BIOS.kernels[0]
OTHER = msgspec.structs.replace(FIRST, path="/boot/vmlinuz-6.9", release="6.9")
UNFIT = msgspec.structs.replace(FIRST, path="/boot/vmlinuz-6.8", release="6.8", relocatable=False)
KERNELS = msgspec.structs.replace(BIOS, kernels=(FIRST, OTHER, UNFIT))
UNFIT_ONLY = msgspec.structs.replace(BIOS, kernels=(UNFIT,))


def walk(flow: FakeFlow, way: Way) -> str:
    """Press keys; a pair of a key and a text presses the key until the cursor is on the text."""
    for keys in way:
        if isinstance(keys, tuple):
            until(flow.window, keys[1], keys[0])
        else:
            press(flow.window, *keys)
    return " ".join(shown(flow.window).split())


@pytest.mark.parametrize(
    ("kind", "machine", "way", "answer"),
    [
        (KernelPage, KERNELS, [["shift tab"], ("down", " ) 6.9"), ["enter"]], {"kernel": "/boot/vmlinuz-6.9"}),
        (MemoryPage, BIOS, [("tab", "what the kernel needs"), ["enter", "down", "enter"]], {"region": 240 * MIB}),
        (TargetPage, BIOS, [["tab", *"/h.khib", "up"], ("down", "( ) /dev/vdb2"), ["enter"]],
         {"target": "/dev/vdb2:/h.khib"}),
        (OptionsPage, BIOS, [("tab", "auto"), ["enter", "down", "enter"]], {"codec": CodecChoice.LZ4}),
        (OptionsPage, BIOS, [("tab", "power off"), ["enter", "down", "enter"]], {"after": After.REBOOT}),
        (OptionsPage, BIOS, [("tab", " ] read the whole"), ["enter"]], {"verify": True}),
        (BootPage, BIOS, [["shift tab"], ("down", " ) whatever"), ["enter"]], {"loader": LoaderKind.BLS}),
        (OptionsPage, BIOS, [("tab", "by itself after 10"), ["enter", "end", "enter"]], {"countdown": -1}),
    ],
)  # fmt: skip
def test_an_answer_changes_its_setting_and_no_other(
    tmp_path: Path, kind: type[StepPage], machine: Machine, way: Way, answer: dict[str, object]
) -> None:
    flow = FakeFlow(tmp_path, machine)
    before = flow.settings
    make(kind, flow)
    walk(flow, way)
    assert flow.settings is before and flow.asked == [], "nothing is answered before Next"
    chosen(flow, "Next")
    assert flow.asked == [("forward", msgspec.structs.replace(before, **answer))] and flow.settings is before


@pytest.mark.parametrize("kind", [KernelPage, MemoryPage, TargetPage, OptionsPage, BootPage])
def test_a_former_answer_is_there_again(tmp_path: Path, kind: type[StepPage]) -> None:
    former: dict[str, Any] = {
        "kernel": OTHER.path, "region": 240 * MIB, "target": "/dev/vdb2:/h.khib", "codec": "zstd", "after": "reboot",
        "verify": True, "countdown": 42, "loader": "bls",
    }  # fmt: skip
    flow = FakeFlow(tmp_path, KERNELS, **former)
    make(kind, flow)
    chosen(flow, "Next")
    assert flow.asked == [("forward", flow.settings)]


def test_another_machine_stays_the_place_though_the_list_has_it_not(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path, target="ssh://me@nas/image.khib?dhcp")
    make(TargetPage, flow)
    chosen(flow, "Next")
    assert flow.asked == [("forward", flow.settings)] and flow.settings.target.startswith("ssh://")


def poor(machine: Machine = BIOS) -> Machine:
    """A machine on whose only fit place something is mounted meanwhile."""
    return changed(changed(machine, "vdb1", mounts=("/data",)), "vda1", fstype="bcachefs")


@pytest.mark.parametrize(
    ("kind", "machine", "settings", "way", "said"),
    [
        (ChecksPage, FEDORA, {}, [], "[HIB-E-LOCKDOWN]"),
        (KernelPage, UNFIT_ONLY, {}, [], "[HIB-E-NO-KERNEL]"),
        (MemoryPage, UNFIT_ONLY, {}, [], "[HIB-E-NO-KERNEL]"),
        (
            MemoryPage,
            BIOS,
            {},
            [("tab", "what the kernel needs"), ["enter", "end", "enter"]],
            "more than half of this machine's",
        ),
        (TargetPage, BIOS, {"target": ""}, [], "no place is chosen yet"),
        (TargetPage, poor(), {}, [], "is mounted at /data"),
        (TargetPage, BIOS, {}, [["tab", *"/a b"]], "[HIB-E-TARGET]"),
        (TargetPage, BIOS, {}, [["tab", *"/h.khib"]], "[HIB-E-TARGET-FILESYSTEM]"),
        (ReviewPage, BIOS, {"target": ""}, [], "[HIB-E-NO-TARGET]"),
        (ReviewPage, FEDORA, {}, [], "[HIB-E-LOCKDOWN]"),
    ],
)
def test_what_cannot_be_is_refused_and_leads_nowhere(
    tmp_path: Path, kind: type[StepPage], machine: Machine, settings: dict[str, Any], way: Way, said: str
) -> None:
    flow = FakeFlow(tmp_path, machine, **settings)
    make(kind, flow)
    walk(flow, way)
    text = chosen(flow, "Set up" if kind is ReviewPage else "Next")
    assert said in text and flow.asked == []


def test_a_chosen_kernel_that_is_gone_gives_way_to_the_automatic_one(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path, KERNELS, kernel="/boot/gone")
    make(KernelPage, flow)
    chosen(flow, "Next")
    assert flow.asked == [("forward", msgspec.structs.replace(flow.settings, kernel=""))]


@pytest.mark.parametrize(
    ("kind", "settings", "way", "said"),
    [
        (KernelPage, {}, [["shift tab"], ("down", "6.8"), ["enter"]], "6.8 cannot save"),
        (TargetPage, {"target": ""}, [("up", "(-) /dev/vda1"), ["enter"]], "both contents would be destroyed"),
    ],
)
def test_a_line_that_is_not_fit_says_why_when_it_is_chosen(
    tmp_path: Path, kind: type[StepPage], settings: dict[str, Any], way: Way, said: str
) -> None:
    flow = FakeFlow(tmp_path, KERNELS, **settings)
    make(kind, flow)
    assert said in walk(flow, way) and flow.asked == []


def test_the_checks_begin_at_the_first_blocker_and_look_again_on_retry(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path, FEDORA)
    make(ChecksPage, flow)
    assert at_cursor(flow.window).startswith("[STOP]")
    chosen(flow, "Retry")
    assert flow.asked == [("look_again",), ("go", 0)]


def test_the_places_are_read_anew_on_demand(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path)
    make(TargetPage, flow)
    chosen(flow, "Look again")
    assert flow.asked == [("look_again",), ("go", 3)]


def test_without_a_fit_place_the_first_one_is_in_focus(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path, changed(poor(), "vda1", fstype="zfs_member"), target="")
    make(TargetPage, flow)
    assert at_cursor(flow.window).startswith("(-) /dev/vda1")


@pytest.mark.parametrize(
    ("label", "asked"),
    [("Set up", ("travel", None)), ("Rehearse", ("rehearse",)), ("Hibernate now", ("travel", "save"))],
)
def test_the_review_leads_to_each_run(tmp_path: Path, label: str, asked: tuple[object, ...]) -> None:
    flow = FakeFlow(tmp_path)
    make(ReviewPage, flow)
    chosen(flow, label)
    if label == "Set up":
        chosen(flow, "Set up without a seal")
    assert flow.asked == [asked]


def test_setting_up_without_a_seal_is_asked_about_and_sealing_is_the_default(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path)
    make(ReviewPage, flow)
    assert "keys of encrypted disks" in chosen(flow, "Set up") and at_cursor(flow.window).startswith("Seal the images")
    press(flow.window, "enter")
    assert flow.asked == [("seal",)]


def test_who_seals_already_is_not_asked(tmp_path: Path, quick_seals: None) -> None:
    flow = FakeFlow(tmp_path)
    KeepSeal(sealfile.path_beside(flow.path), crypto.create("a good passphrase", Cipher.AES)[0]).apply(Context(quiet))
    make(ReviewPage, flow)
    chosen(flow, "Set up")
    assert flow.asked == [("travel", None)]


def test_the_review_leads_to_sealing_and_says_what_the_flow_says_of_it(tmp_path: Path) -> None:
    flow = FakeFlow(tmp_path)
    make(ReviewPage, flow)
    assert "[warn] What the flow says of the seal." in shown(flow.window)
    press(flow.window, "shift tab")
    until(flow.window, "Seal the images", "down")
    press(flow.window, "enter")
    assert flow.asked == [("seal",)]
