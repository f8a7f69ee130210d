"""The shell script that A's initramfs runs, in the shells that an initramfs has, against a file that stands for the device."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import Header, State
from khib_tui.image.store import Store
from khib_tui.model.units import MIB
from tests.kit import ROOT

SCRIPT = ROOT / "khib_tui/guard/guard.sh"
SHELLS = [shell for shell in (["busybox", "sh"], ["dash"], ["bash", "--posix"]) if shutil.which(shell[0])]
ID, IMAGE = "0123456789abcdef", "ab" * 16
LIMIT = 30.0


@dataclass
class Ended:
    """What became of a run: what was left of the machine, what the console and standard output said."""

    left: str
    code: int
    console: str
    output: str


@dataclass
class Machine:
    """A machine with one device and a console; programs that would end it only note it."""

    directory: Path
    shell: list[str]

    def __post_init__(self) -> None:
        self.device, self.noted = self.directory / "device", self.directory / "noted"
        self.image(State.COMPLETE)
        for name in ("reboot", "poweroff"):
            path = self.directory / name
            path.write_text(f"#!/bin/sh\necho {name} >> {self.noted}\nkill -9 $PPID\n")
            path.chmod(0o755)

    def image(self, state: State, setup_id: str = ID) -> None:
        """Put an image on the device."""
        with self.device.open("wb") as stream:
            stream.truncate(3 * MIB)
        with Store(self.device, writable=True) as store:
            header = Header(IMAGE, State.PARTIAL, 0, host='a"{"image_id":"00","state":"done","generation":99,')
            headers.advance(store, headers.write(store, header), state, setup_id=setup_id)

    @property
    def block(self) -> bytes:
        """The marks on the device."""
        return self.device.read_bytes()[marks.OFFSET : marks.OFFSET + 4096]

    @block.setter
    def block(self, data: bytes) -> None:
        with self.device.open("r+b") as stream:
            stream.seek(marks.OFFSET)
            stream.write(data)

    def header(self) -> Header:
        """The header as khib sees it."""
        with Store(self.device) as store:
            header = headers.read(store)
        assert header is not None
        return header

    def settings(self, console: str, **given: object) -> Path:
        """Write the settings; nothing in them may reach the real machine."""
        words = {
            "SETUP": ID, "DEVICE": self.device, "COUNTDOWN": 3, "WAIT": 2, "TICK": "0.05", "PAUSE": "0.05", "CONSOLE": console,
            "SYSRQ": self.directory / "sysrq", "REBOOT": self.directory / "reboot", "POWEROFF": self.directory / "poweroff",
            "NEXT": self.directory / "next", "RUN": self.directory,
        } | given  # fmt: skip
        path = self.directory / "guard.conf"
        path.write_text("".join(f"{name}='{value}'\n" for name, value in words.items()))
        return path

    def run(self, *typed: str, verb: str = "ask", console: str = "", **given: object) -> Ended:
        """Run the script, and type lines as soon as it asks for one each."""
        self.noted.unlink(missing_ok=True)
        ours, theirs = pty.openpty()
        conf = self.settings(console or os.ttyname(theirs), **given)
        said = bytearray()
        thread = threading.Thread(target=converse, args=(ours, list(typed), said), daemon=True)
        thread.start()
        done = subprocess.run(
            [*self.shell, SCRIPT, verb, conf], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
            check=False,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        os.close(theirs)
        thread.join(LIMIT)
        os.close(ours)
        left = self.noted.read_text().split() if self.noted.exists() else [""]
        return Ended(left[0], done.returncode, said.decode(), done.stdout)


def converse(fd: int, typed: list[str], said: bytearray) -> None:
    """Read what the console says to its end; type a line at each countdown that comes."""
    prompts = [b"in 3 s", b"for 60 s"]
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            return
        said += data
        while typed and prompts and prompts[0] in said:
            prompts.pop(0)
            time.sleep(0.01)
            os.write(fd, typed.pop(0).encode() + b"\n")


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path, request.param)


def test_it_is_small() -> None:
    assert SCRIPT.stat().st_size <= 4608


def test_nobody_answers_and_it_resumes_when_the_time_is_over(machine: Machine) -> None:
    ended = machine.run()
    assert ended.left == "reboot" and "in 1 s" in ended.console
    assert machine.header().state is State.COMPLETE and marks.resume_id(machine.block) == ID and marks.sound(machine.block)


@pytest.mark.parametrize("console", ["/dev/null", "/nonexistent/console"])
def test_without_a_console_it_resumes_when_the_time_is_over(machine: Machine, console: str) -> None:
    assert machine.run(console=console).left == "reboot"


def test_enter_resumes_at_once(machine: Machine) -> None:
    ended = machine.run("")
    assert ended.left == "reboot" and "in 1 s" not in ended.console


def test_p_powers_off_and_changes_nothing(machine: Machine) -> None:
    before = machine.device.read_bytes()
    assert machine.run("p").left == "poweroff"
    assert machine.device.read_bytes() == before


def test_g_and_yes_give_the_image_up_and_let_the_start_go_on(machine: Machine) -> None:
    ended = machine.run("g", "yes")
    assert (ended.left, ended.code) == ("", 0) and "starting anew" in ended.console
    assert machine.block == bytes(1024) + f"KHIB-GIVEN-UP {IMAGE}\n".encode().ljust(4096 - 1024, b"\0")
    assert (machine.header().state, machine.header().reason) == (State.ABANDONED, marks.REASON)


@pytest.mark.parametrize("word", ["", "y", "no", "yes please"])
def test_g_and_anything_else_gives_nothing_up(machine: Machine, word: str) -> None:
    assert machine.run("g", word).left == "reboot"
    assert machine.header().state is State.COMPLETE


def test_a_given_up_image_is_not_asked_about_again_and_no_boot_loader_sees_it(machine: Machine) -> None:
    machine.run("g", "yes")
    mark = machine.block[1024:]
    machine.block = marks.packed(ID)[:1024] + mark
    ended = machine.run()
    assert (ended.left, ended.code, ended.console) == ("", 0, "") and machine.block == bytes(1024) + mark


@pytest.mark.parametrize("state", [state for state in State if state is not State.COMPLETE])
def test_any_other_state_lets_the_start_go_on(machine: Machine, state: State) -> None:
    machine.image(state)
    before = machine.device.read_bytes()
    ended = machine.run()
    assert (ended.left, ended.code, ended.console) == ("", 0, "") and machine.device.read_bytes() == before


def test_an_image_of_another_system_is_left_alone(machine: Machine) -> None:
    machine.image(State.COMPLETE, "f" * 16)
    assert machine.run().left == "" and machine.run(verb="mark").output == ""
    assert machine.header().state is State.COMPLETE


@pytest.mark.parametrize(
    "damaged", [b"", b"\xff\xfe\n" * 341, b"# GRUB Environment Block\nkhib_resu\n"], ids=["none", "noise", "cut"]
)
def test_a_damaged_or_missing_environment_block_does_not_lose_the_session(machine: Machine, damaged: bytes) -> None:
    machine.block = damaged.ljust(1024, b"\0")
    assert machine.run().left == "reboot"
    assert marks.resume_id(machine.block) == ID


@pytest.mark.parametrize("offset", headers.SLOTS)
def test_one_header_is_enough(machine: Machine, offset: int) -> None:
    with machine.device.open("r+b") as stream:
        stream.seek(offset)
        stream.write(os.urandom(4096).replace(b"{", b"x"))
    assert machine.run().left == "reboot"


def test_a_claim_in_the_newer_header_counts(machine: Machine) -> None:
    with Store(machine.device, writable=True) as store:
        header = machine.header()
        slot = headers.read_slots(store).index(header) ^ 1
        newer = Header(IMAGE, State.CLAIMED, header.generation + 1)
        store.write(headers.SLOTS[slot], headers.pack(newer))
    assert machine.run().left == ""


@pytest.mark.parametrize("content", [b"", b"\0" * 4 * MIB, os.urandom(3 * MIB)], ids=["empty", "zeros", "noise"])
def test_a_device_without_an_image_lets_the_start_go_on(machine: Machine, content: bytes) -> None:
    machine.device.write_bytes(content)
    ended = machine.run()
    assert (ended.left, ended.code, ended.console) == ("", 0, "") and machine.device.read_bytes() == content


def test_an_absent_device_is_waited_for_shortly(machine: Machine) -> None:
    machine.device.unlink()
    started = time.monotonic()
    ended = machine.run(TICK="0.2", PARTUUID="no-such-partition")
    assert (ended.left, ended.code, ended.console) == ("", 0, "") and 0.3 < time.monotonic() - started < 10


def test_a_device_that_comes_late_is_seen(machine: Machine) -> None:
    aside = machine.device.rename(machine.directory / "aside")
    later(0.3, lambda: aside.rename(machine.device))
    assert machine.run(WAIT=60).left == "reboot"


def later(seconds: float, work: Callable[[], object]) -> None:
    threading.Timer(seconds, work).start()


def test_without_settings_the_start_goes_on(machine: Machine) -> None:
    done = subprocess.run([*machine.shell, SCRIPT, "ask", "/nonexistent"], check=False, timeout=LIMIT)
    assert done.returncode == 0


def test_the_means_of_the_set_up_are_used_before_the_restart(machine: Machine) -> None:
    (machine.directory / "next").write_text(f"echo next >> {machine.noted}\n")
    assert machine.run().left == "next" and machine.noted.read_text().split() == ["next", "reboot"]


def test_means_that_fail_are_told_and_the_machine_restarts_all_the_same(machine: Machine) -> None:
    (machine.directory / "next").write_text("exit 3\n")
    ended = machine.run()
    assert ended.left == "reboot" and "choose the entry of khib" in ended.console


def test_after_three_restarts_without_the_restorer_it_powers_off_and_the_session_stays(machine: Machine) -> None:
    assert [machine.run().left for _ in range(5)] == ["reboot"] * 3 + ["poweroff"] * 2
    assert marks.sound(machine.block) and machine.header().state is State.COMPLETE
    assert machine.run("").left == "reboot"


def test_where_restarting_fails_it_asks_again(machine: Machine) -> None:
    ended = machine.run("", REBOOT="/bin/true", COUNTDOWN=3)
    assert "that does not work here" in ended.console and ended.left == "poweroff"
    assert (machine.directory / "sysrq").read_text() == "b\n"


def test_the_second_guard_gives_it_up_without_asking_and_says_so(machine: Machine) -> None:
    ended = machine.run(verb="mark", console="/dev/null")
    assert (ended.left, ended.code) == ("", 0) and "was given up" in ended.output
    assert machine.header().state is State.ABANDONED and not any(machine.block[:1024])
    assert machine.run(verb="mark").output == ""


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ("/dev/vda2 partition 1 0 -2\n", State.COMPLETE), ("/dev/zram0 partition 1 0 100\n", State.ABANDONED),
        ("/dev/zram0 partition 1 0 100\n/swapfile file 1 0 -2\n", State.COMPLETE), ("", State.ABANDONED),
    ],
)  # fmt: skip
def test_what_the_system_swaps_on_already_is_never_written_to(machine: Machine, lines: str, state: State) -> None:
    swaps = machine.directory / "swaps"
    swaps.write_text(f"Filename Type Size Used Priority\n{lines}")
    before = machine.device.read_bytes()
    assert machine.run(verb="mark", SWAPS=swaps).code == 0
    assert machine.header().state is state and (state is State.ABANDONED or machine.device.read_bytes() == before)


def test_a_device_that_takes_no_writes_is_told(machine: Machine) -> None:
    broken = machine.directory / "bin"
    broken.mkdir()
    (broken / "dd").write_text('#!/bin/sh\ncase "$*" in *of=*) exit 1;; esac\nexec /bin/dd "$@"\n')
    (broken / "dd").chmod(0o755)
    conf_path = f"{broken}:{os.environ['PATH']}"
    ended = machine.run("g", "yes", PATH=conf_path)
    if machine.shell[0] != "busybox":  # which may have a dd of its own
        assert ended.code == 0 and "could not be marked" in ended.console
        assert "never resume it" in machine.run(verb="mark", PATH=conf_path).output


@pytest.fixture(autouse=True)
def _no_reader_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert list(tmp_path.glob("khib-guard.*.part")) == []


def test_an_image_within_a_partition_is_asked_about_and_given_up_there(machine: Machine) -> None:
    image, before = machine.device.read_bytes(), os.urandom(100 * 512)
    machine.device.write_bytes(before + image)
    assert machine.run("g", "yes", FIRST=100).left == ""
    data = machine.device.read_bytes()
    assert data[: len(before)] == before
    machine.device.write_bytes(data[len(before) :])
    assert machine.header().reason == marks.REASON
    machine.device.write_bytes(before + image)
    assert machine.run(FIRST=100).left == "reboot" and machine.device.read_bytes()[: len(before)] == before
    assert machine.run().left == ""  # nothing is at its beginning
