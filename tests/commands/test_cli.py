"""Commands on machines that exist only as facts: what is printed, and with which exit code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui import cli
from khib_tui.commands import arguments
from khib_tui.events.types import Failure, Finding, Result, Step, decode
from khib_tui.initramfs import sysfiles
from khib_tui.model import machine
from khib_tui.model.machine import Machine
from khib_tui.restorer import here as place
from tests.kit import MACHINES
from tests.kit.machines import changed

LAB = "qemu-bios-1g"


def facts(name: str = LAB) -> Machine:
    return machine.load(MACHINES / f"{name}.json")


@pytest.fixture
def khib(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command on facts; gives its exit code and what it printed."""

    def run(*words: str, here: Machine | None = None) -> tuple[int, str]:
        path = tmp_path / "facts.json"
        path.write_bytes(machine.dump(here or facts()))
        code = cli.main(["--facts", str(path), "--settings", str(tmp_path / "khib.toml"), *words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_a_fit_machine_passes(khib: Any) -> None:
    code, text = khib("check")
    assert code == 0 and "this machine can hibernate" in text


@pytest.mark.parametrize(
    ("name", "cause", "step"),
    [("laptop-debian", "CONFIG_KEXEC_JUMP", "khib kernels build"), ("workstation-fedora-locked", "locked down", "Secure Boot")],
)
def test_an_unfit_machine_is_told_why_and_what_to_do(khib: Any, name: str, cause: str, step: str) -> None:
    code, text = khib("check", here=facts(name))
    assert code == 4 and "[STOP]" in text and cause in text and step in text
    code, text = khib("hibernate", "--target", "/dev/vdb1", here=facts(name))
    assert code == 4 and "(hint)" in text


def test_a_dry_run_prints_the_steps_and_nothing_is_done(khib: Any, tmp_path: Path) -> None:
    code, text = khib("--json", "hibernate", "--dry-run", "--target", "/dev/vdb1")
    steps = [event for event in map(decode, text.splitlines()) if isinstance(event, Step)]
    assert code == 0 and [step.status for step in steps] == ["planned"] * len(steps) and len(steps) == 9
    assert "memmap=exactmap" in steps[2].text
    assert list(tmp_path.iterdir()) == [tmp_path / "facts.json"]


def test_the_plan_as_json_says_region_and_words(khib: Any) -> None:
    code, text = khib("--json", "plan", "--target", "/dev/vdb1")
    result = decode(text.splitlines()[-1])
    assert code == 0 and isinstance(result, Result)
    assert result.data["region"] == [[0x1000, 0x9F000], [16 << 20, 192 << 20]]
    assert "memmap=0xb000000@0x1000000" in result.data["words"]


@pytest.mark.parametrize(
    ("words", "ident"),
    [
        ((), "HIB-E-NO-TARGET"),
        (("--target", "/dev/vda1"), "HIB-E-TARGET-MOUNTED"),
        (("--target", "/dev/vdz"), "HIB-E-TARGET-MISSING"),
        (("--target", "/dev/vdb1", "--region", "800M"), "HIB-E-REGION-HALF"),
        (("--target", "/dev/vdb1", "--kernel", "/boot/none"), "HIB-E-NO-KERNEL"),
    ],
)
def test_refusals_name_cause_and_next_step(khib: Any, words: tuple[str, ...], ident: str) -> None:
    code, text = khib("--json", "hibernate", *words)
    event = decode(text.splitlines()[-1])
    assert code == 4 and isinstance(event, Failure)
    assert event.ident == ident and event.message and event.hint and event.exit_code == 4


def test_a_swap_in_use_and_a_small_target_are_refused(khib: Any) -> None:
    here = facts()
    devices = tuple(msgspec.structs.replace(device, swap=True) if device.name == "vdb1" else device for device in here.devices)
    code, text = khib("hibernate", "--target", "/dev/vdb1", here=msgspec.structs.replace(here, devices=devices))
    assert code == 4 and "HIB-E-TARGET-SWAP" in text
    devices = tuple(
        msgspec.structs.replace(device, size=100 << 20) if device.name == "vdb1" else device for device in here.devices
    )
    code, text = khib("hibernate", "--target", "/dev/vdb1", here=msgspec.structs.replace(here, devices=devices))
    assert code == 4 and "HIB-E-TARGET-SMALL" in text and "100.0 MiB" in text


def test_too_little_free_memory_is_refused(khib: Any) -> None:
    poor = msgspec.structs.replace(facts(), mem_available=190 << 20)
    code, text = khib("hibernate", "--target", "/dev/vdb1", here=poor)
    assert code == 4 and "HIB-E-MEMORY" in text and "190.0 MiB is free" in text


def test_findings_as_json_are_the_ones_in_text(khib: Any) -> None:
    _, text = khib("--json", "check", here=facts("laptop-debian"))
    findings = [event for event in map(decode, text.splitlines()) if isinstance(event, Finding)]
    _, plain = khib("check", here=facts("laptop-debian"))
    assert len(findings) > 10 and all(finding.what in plain for finding in findings)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("plan", "--target", "vdb1"), 2),
        (("plan", "--target", "/dev/vdb1", "--region", "much"), 2),
        (("image", "info"), 2),
        (("image", "verify", "nothing"), 2),
    ],
)
def test_a_users_mistake_is_an_error_and_no_traceback(khib: Any, words: tuple[str, ...], code: int) -> None:
    got, text = khib(*words)
    assert got == code and text.count("error:") == 1 and "Traceback" not in text


OTHERS = [
    ("setup", "--target", "/dev/vdb1"), ("hibernate", "--target", "/dev/vdb1"), ("rehearse",), ("rehearse", "--echo"),
    ("rehearse", "--save", "--target", "/dev/vdb1"), ("seal",), ("seal", "--off"), ("image",), ("image", "list"),
    ("image", "info", "x"), ("image", "verify"), ("image", "discard", "--yes"), ("image", "export", "--elf", "x"),
    ("restore",), ("restore", "--dry-run"), ("lab",), ("lab", "demo"),
]  # fmt: skip


@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_facts_of_another_machine_never_apply(
    khib: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a step was applied")

    monkeypatch.setattr("khib_tui.plan.execute._apply", never)
    code, text = khib("--json", *words)
    event = decode(text.splitlines()[-1])
    assert code == 2 and isinstance(event, Failure) and event.ident == "HIB-E-FACTS-READ-ONLY" and event.hint
    assert list(tmp_path.iterdir()) == [tmp_path / "facts.json"]


@pytest.mark.parametrize("words", [*OTHERS[:5], ("seal",), ("seal", "--off")], ids=" ".join)
def test_facts_of_another_machine_serve_a_dry_run(khib: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert khib(*words, "--dry-run")[0] == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "facts.json"]


def test_status_of_another_machine_tells_nothing_of_this_one(khib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khib_tui.target.catalog.images", lambda *_: 1 / 0)
    code, text = khib("status")
    assert code == 0 and "another machine" in text and "set up:" not in text and "no image" not in text


@pytest.mark.parametrize(
    ("root", "readable", "text"),
    [(False, False, "nothing could be read: run as root"), (True, True, "no image on any disk"),
     (True, False, "not read: /dev/vdb1")],
)  # fmt: skip
@pytest.mark.parametrize("words", [("status",), ("image", "list")])
def test_what_could_not_be_read_is_not_taken_for_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], root: bool, readable: bool,
    text: str, words: tuple[str, ...],
) -> None:  # fmt: skip
    here = msgspec.structs.replace(changed(facts(), "vdb1", readable=readable), root=root)
    monkeypatch.setattr("khib_tui.facts.probe.probe", lambda: here)
    assert cli.main(["--settings", str(tmp_path / "khib.toml"), *words]) == 0
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(("root", "code", "text"), [(False, 7, "run as root"), (True, 7, "there is no image")])
def test_no_image_to_show_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], root: bool, code: int, text: str
) -> None:
    monkeypatch.setattr("khib_tui.facts.probe.probe", lambda: msgspec.structs.replace(facts(), root=root))
    assert cli.main(["--settings", str(tmp_path / "khib.toml"), "image", "info"]) == code
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("restore",), ("restore", "--plain"), ("restore", "--dry-run"), ("restore", "--vmcore", "x")]
)
def test_restore_on_a_running_system_says_why_and_never_takes_the_console(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("khib_tui.present.use_screens", lambda _: 1 / 0)
    monkeypatch.setattr("khib_tui.commands.restore.use_screens", lambda _: 1 / 0)
    assert cli.main([*words]) == 7
    assert "running system" in capsys.readouterr().err


def test_the_restoring_kernel_is_known_by_its_init(tmp_path: Path) -> None:
    assert not place.is_restorer(tmp_path)
    for content, expected in ((b"#!/bin/sh\n", False), (init_script(), True)):
        (tmp_path / "init").write_bytes(content)
        assert place.is_restorer(tmp_path) is expected
    place.refuse_elsewhere(tmp_path)


def init_script() -> bytes:
    """The /init of B and C, as it is packed."""
    (entry,) = [entry for entry in sysfiles.skeleton("python3") if entry.name == "init"]
    return entry.data


def test_ctrl_c_is_told(khib: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("khib_tui.commands.machine.check", interrupted)
    code, text = khib("check")
    assert code == 130 and "stopped by Ctrl-C" in text


def test_a_broken_facts_or_settings_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    broken.write_text("kernel = 3\n")
    assert cli.main(["--facts", str(broken), "check"]) == 2
    assert cli.main(["--facts", str(MACHINES / f"{LAB}.json"), "--settings", str(broken), "plan"]) == 2
    assert "khib.toml" not in capsys.readouterr().out


def test_every_verb_of_the_parser_is_there() -> None:
    def verbs(parser: argparse.ArgumentParser) -> list[str]:
        found = [parser.get_default("verb")]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for choice in action.choices.values():
                    found += verbs(choice)
        return found

    listed = verbs(arguments.parser())
    assert len(listed) > 15
    assert all(callable(cli.function(verb)) for verb in listed)


@pytest.mark.parametrize("words", [["restore"], ["hibernate", "--codec", "lz4"], ["image", "verify", "x"], ["lab", "demo"]])
def test_a_command_alone_is_read_as_among_all_of_them(words: list[str]) -> None:
    assert arguments.parser(words).parse_args(words) == arguments.parser().parse_args(words)
