"""`khib kernels`: a line for each kernel, and all of it as data."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import msgspec
import pytest

from khib_tui import cli
from khib_tui.commands.kernels import kernels
from khib_tui.events.types import Event, Message, Result
from khib_tui.model import machine as machines
from tests.kit.machines import BIOS


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """A machine with a kernel that can be all, and one of Debian, which cannot jump."""
    whole = dict.fromkeys(("X86_64", "RELOCATABLE", "DEVMEM", "KEXEC", "BLK_DEV_INITRD", "HIBERNATION", "EFI_STUB"), "y")
    own, debian = (
        msgspec.structs.replace(BIOS.kernels[0], path=f"/boot/vmlinuz-{release}", release=release, config=config)
        for release, config in ((BIOS.release, whole | {"KEXEC_JUMP": "y"}), ("6.12.1-amd64", whole))
    )
    path = tmp_path / "facts.json"
    path.write_bytes(machines.dump(msgspec.structs.replace(BIOS, kernels=(own, debian))))
    return path


def test_each_kernel_has_its_roles_and_a_reason(facts: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    kernels(Namespace(facts=facts, settings=tmp_path / "none", plain=True), events.append)
    lines = [event.text for event in events if isinstance(event, Message)]
    assert len(lines) == 3 and "running): A yes, B yes, C yes" in lines[0]
    assert "(6.12.1-amd64): A no, B yes, C yes" in lines[1] and "CONFIG_KEXEC_JUMP" in lines[2]
    assert isinstance(events[-1], Result)
    roles = [[role["fit"] for role in kernel["roles"]] for kernel in events[-1].data["kernels"]]
    assert roles == [["yes"] * 3, ["no", "yes", "yes"]]


def test_it_can_be_had_as_json(facts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(cli.main(["kernels", "--json", "--facts", str(facts)]))
    assert ended.value.code == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["event"] == "result" and len(last["data"]["kernels"]) == 2
