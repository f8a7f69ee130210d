"""A Debian with systemd whose `systemctl hibernate`, lid and power menu are khib's, on a machine that boots itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from khib_tui.events.types import Failure, Stage, StageName, Status
from khib_tui.lab import bootdisk
from khib_tui.lab.cycle import Session
from tests.kit.lab_kit import Console, options, print_event

pytestmark = [pytest.mark.lab, pytest.mark.long]

SETTINGS = "/etc/khib/khib.toml"
SERVICE = "systemd-hibernate.service"
NOWHERE = "/dev/disk/by-partlabel/nowhere"
WATCH = "/usr/bin/python3 -m khib_tui.lab.guest.watch"
# what comes to 10.0.2.100 is sent back by a program of the host
NETWORK = ("-nic", "user,model=virtio-net-pci,restrict=on,guestfwd=tcp:10.0.2.100:7-cmd:cat")
ECHO = """for i in $(seq 60); do
    (exec 3<>/dev/tcp/10.0.2.100/7; echo hello >&3; read -t 30 word <&3; echo $word) 2>/dev/null && exit 0; sleep 1
done; exit 1"""
HOOK = """#!/bin/sh
echo "{name} $1 $2 $SYSTEMD_SLEEP_ACTION" >>/var/log/hooks
"""
OWN = """
[ "$1" = pre ] && systemd-inhibit --list --no-legend >/var/log/inhibitors
[ "$1" = post ] && [ -p /run/lid ] && echo 0 >/run/lid
[ "$1" = post ] && echo '{"back": true}' >/dev/ttyS1
exit 0
"""
LID = """
import fcntl, os, struct
fd = os.open('/dev/uinput', os.O_WRONLY)
EV_SYN, EV_SW, SW_LID = 0, 5, 0
fcntl.ioctl(fd, 0x40045564, EV_SW)
fcntl.ioctl(fd, 0x4004556d, SW_LID)
os.write(fd, struct.pack('80s4HI256i', b'lid of the lab', 0x19, 0, 0, 0, 0, *[0] * 256))
fcntl.ioctl(fd, 0x5501)
os.mkfifo('/run/lid')
for line in os.fdopen(os.open('/run/lid', os.O_RDWR)):
    for kind, code, value in ((EV_SW, SW_LID, int(line)), (EV_SYN, 0, 0)):
        os.write(fd, struct.pack('qqHHi', 0, 0, kind, code, value))
"""


TELL_FAILURE = f"""for i in $(seq 60); do
    sleep 1; systemctl is-failed --quiet {SERVICE} && echo '{{"exit": 1}}' >/dev/ttyS1 && exit
done"""
LOGIND = """[Login]
HandleLidSwitch=hibernate
HoldoffTimeoutSec=1s
"""


class Guest:
    """A with systemd, and what it is asked."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.restored = 0.0

    def sh(self, text: str, timeout: float = 240) -> str:
        """Run a line of bash in A."""
        return self.session.program("bash", "-c", text, timeout=timeout).strip()

    def write(self, path: str, text: str, mode: str = "644") -> None:
        """Write a file of A."""
        self.session.program("python3", "-c", "import pathlib,sys; pathlib.Path(sys.argv[1]).parent.mkdir(parents=True, "
                             "exist_ok=True); pathlib.Path(sys.argv[1]).write_text(sys.argv[2])", path, text)  # fmt: skip
        self.session.program("chmod", mode, path)

    def can(self, verb: str) -> str:
        """Return what logind says to CanHibernate and its like."""
        words = "org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
        return self.sh(f"busctl call {words} Can{verb}").removeprefix("s ").strip('"')

    def seen(self, name: str) -> list[dict[str, Any]]:
        """Return what a watch has noted."""
        return [json.loads(line) for line in self.session.read(f"/run/{name}/log").splitlines()]

    def watch(self, name: str, *words: str) -> None:
        """Start a watch as a unit; its log survives as long as it runs."""
        self.sh(f"systemd-run --quiet --unit={name} --property=RuntimeDirectory={name} --setenv=PYTHONPATH=/opt/khib "
                f"{' '.join(words)} {WATCH} /run/{name}/log")  # fmt: skip

    def away(self, how: str) -> None:
        """Let something hibernate A, up to the power-off."""
        self.sh("rm -f /var/log/hooks /var/log/inhibitors")
        how = f"({TELL_FAILURE}) </dev/null >/dev/null 2>&1 & {how}"
        self.session.until_off(lambda: self.session.running.tell(do="program", argv=["bash", "-c", how]))

    def back(self) -> None:
        """Switch on, up to the last hook's word that A is back, and let khib's unit end."""
        session = self.session
        session.note_disks()
        session.boot(session.lab.boot_c())
        for event in session.running.events():
            session.pass_on(event)
            if isinstance(event, Stage) and (event.stage, event.status) == (StageName.RESTORE, Status.DONE):
                session.digest()
                self.restored = time.time()
            if isinstance(event, Failure):
                raise session.lost(event.message)
            if isinstance(event, dict) and "back" in event:
                break
        else:
            raise session.lost("A did not come back")
        session.disks_identical &= len(set(session.digests)) == 1

    def settled(self, state: str) -> str:
        """Wait for khib's unit to be in a state; gives its result."""
        self.sh(f"for i in $(seq 600); do [ $(systemctl is-active {SERVICE}) = {state} ] && exit 0; sleep 0.1; done; exit 1")
        return self.sh(f"systemctl show --property=Result --value {SERVICE}")


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A's one uptime, set up by `khib install` and `khib setup`, shared by the tests of this module in their order."""
    asked = options(boot="disk", loader="grub", machine="virtio", init="systemd", memory=1024)
    lab = bootdisk.prepare(asked, tmp_path_factory.mktemp("systemd"), print_event)
    machine = replace(lab.hardware.machine, words=NETWORK)
    session = Session(replace(lab, hardware=replace(lab.hardware, machine=machine)), print_event)
    try:
        session.boot_a()
        yield Guest(session)
    finally:
        session.end()


def test_what_is_chosen_once_makes_hibernating_khib_s(guest: Guest) -> None:
    assert guest.sh("cat /proc/1/comm") == "systemd"
    guest.sh("useradd --create-home --shell /bin/bash lab")
    guest.sh("swapoff --all")
    assert guest.can("Hibernate") == "na"
    guest.write("/etc/systemd/logind.conf.d/lab.conf", LOGIND)
    guest.sh("khib install", timeout=600)
    guest.write(SETTINGS, guest.session.read("/opt/khib/khib.toml").replace("desktop = false", "desktop = true"))
    guest.session.settings = SETTINGS
    code, _ = guest.session.run("setup", timeout=900)
    assert code == 0, guest.session.reason()
    assert guest.can("Hibernate") == "yes"
    assert guest.can("HybridSleep") == guest.can("SuspendThenHibernate") == "na"
    assert "khib hibernate --from-systemd" in guest.sh(f"systemctl cat {SERVICE}")


def test_systemctl_hibernates_by_khib_with_all_that_belongs_to_it(guest: Guest) -> None:
    guest.sh("modprobe listener")
    guest.write("/usr/lib/systemd/system-sleep/lab", HOOK.format(name="systemd"), "755")
    guest.write("/etc/khib/hooks.d/lab", HOOK.format(name="khib") + OWN, "755")
    guest.watch("watch")
    guest.watch("session", "--property=PAMName=login", "--uid=lab")
    guest.sh("for i in $(seq 300); do pgrep --uid lab --full lab.guest.watch && exit 0; sleep 0.1; done; exit 1")
    assert "/user.slice/" in guest.sh("cat /proc/$(pgrep --uid lab --full lab.guest.watch)/cgroup")
    assert guest.sh(ECHO) == "hello"

    guest.away("systemctl hibernate")
    off = time.time()
    guest.back()
    woken = time.time()
    assert guest.settled("inactive") == "success"
    assert guest.sh(ECHO) == "hello", "the network"
    assert guest.sh("cat /var/log/hooks").splitlines() == [
        "systemd pre hibernate hibernate", "khib pre hibernate hibernate",
        "khib post hibernate hibernate", "systemd post hibernate hibernate",
    ]  # fmt: skip
    assert "khib" in guest.sh("cat /var/log/inhibitors") and "handle-lid-switch" in guest.sh("cat /var/log/inhibitors")
    assert "khib" not in guest.sh("systemd-inhibit --list --no-legend")
    seen = {line["what"]: line for line in guest.seen("watch")}
    slept = next(name for name in seen if name.startswith("slept "))
    frozen, thawed = (seen[f"cgroup.events populated 1 frozen {number}"] for number in (1, 0))
    assert frozen["time"] < off and frozen["at"] < seen[slept]["at"] < thawed["at"]
    assert guest.restored - 3 < seen[slept]["time"] < woken + 3, "the clock, as soon as anybody could ask"
    assert guest.session.disks_identical
    heard = guest.sh("cat /sys/kernel/khib_listener/heard").split()
    assert heard[::2] == ["1", "2"]
    assert int(heard[1]) < off < int(heard[3]) <= woken + 5
    stops, starts = ([line["at"] for line in guest.seen("session") if line["what"] == what] for what in ("stopped", "went on"))
    # on a busy host it may have stood at other times, too
    assert any(
        begin <= frozen["at"] + 0.2 and seen[slept]["at"] < end and thawed["at"] < end + 0.2
        for begin, end in zip(stops, starts, strict=True)
    )


def test_a_refusal_is_a_failed_unit_and_told_on_terminals_and_leaves_no_session_frozen(guest: Guest) -> None:
    guest.sh("passwd --delete lab")
    console = Console(guest.session)
    console.answer(b"login:", b"lab\n")
    console.wait(b"lab@")
    guest.sh(f"cp {SETTINGS} {SETTINGS}.kept")
    guest.sh(f"sed -i 's|^target = .*|target = \"{NOWHERE}\"|' {SETTINGS}")
    guest.sh("echo 1 >/sys/fs/cgroup/user.slice/cgroup.freeze")
    assert guest.sh(f"systemctl start {SERVICE}; echo $?") != "0"
    assert guest.settled("failed") == "exit-code"
    console.wait(b"khib: not hibernated: ")
    assert guest.sh("cat /sys/fs/cgroup/user.slice/cgroup.freeze") == "0"
    assert NOWHERE in guest.sh(f"journalctl --no-pager --unit={SERVICE} --lines=20")
    guest.sh(f"systemctl reset-failed {SERVICE}; systemctl hibernate")
    assert guest.settled("failed") == "exit-code"
    guest.sh(f"systemctl reset-failed {SERVICE}; mv {SETTINGS}.kept {SETTINGS}")


def test_a_closed_lid_does_the_same(guest: Guest) -> None:
    guest.sh("modprobe uinput")
    guest.write("/opt/lid.py", LID)
    guest.sh("systemd-run --quiet --unit=lid python3 -u /opt/lid.py")
    guest.sh("for i in $(seq 100); do [ -p /run/lid ] && exit 0; sleep 0.1; done; exit 1")
    guest.sh("udevadm settle; sleep 2")
    guest.away("echo 1 >/run/lid")
    guest.back()
    assert guest.settled("inactive") == "success"
    assert len(guest.sh("cat /var/log/hooks").splitlines()) == 4
    assert guest.sh("cat /sys/kernel/khib_listener/heard").split()[::2] == ["1", "2", "1", "2"]
    assert guest.session.disks_identical
    clean, text = guest.session.power_off()
    assert clean, text
