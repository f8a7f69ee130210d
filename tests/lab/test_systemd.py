"""A system that systemd runs: `systemctl hibernate` is khib's, the hooks run, nothing stays frozen, a refusal is a failure."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest

from khib_tui.events.types import Stage, StageName, Status
from khib_tui.lab import disks, setup
from khib_tui.lab.cycle import Session
from khib_tui.lab.vm import Boot
from tests.kit.lab_kit import options, print_event

pytestmark = [pytest.mark.lab, pytest.mark.long]

PACKAGES = ("systemd-sysv", "dbus", "libpam-systemd")
SETTINGS = "/etc/khib/khib.toml"
WAKING = 20.0  # seconds
AGENT = """[Unit]
Description=The lab's agent
After=basic.target dbus.service systemd-logind.service
[Service]
Environment=PYTHONPATH=/opt/khib PYTHONDONTWRITEBYTECODE=1 HOME=/root
ExecStart=/usr/bin/python3 -c "from khib_tui.lab.guest.agent import Agent; Agent().serve()"
ExecStopPost=/usr/bin/systemctl poweroff
"""
HOOK = '#!/bin/sh\necho "$1 $2 $SYSTEMD_SLEEP_ACTION" >>/var/tmp/hooks\n'


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A, run by systemd, with khib installed and set up to hibernate for it."""
    folder = tmp_path_factory.mktemp("lab")
    lab = setup.prepare(options(), folder, print_event, packages=PACKAGES)
    tree = folder / "units"
    tree.mkdir()
    (tree / "agent.service").write_text(AGENT)
    disks.put_on_root(lab.disk_a, tree, "/etc/systemd/system", merge=True)
    shutil.rmtree(tree)
    made = Session(lab, print_event)
    words = lab.boot_a("").options.replace("init=/sbin/khib-init", "init=/lib/systemd/systemd systemd.wants=agent.service")
    made.boot(Boot(lab.kernel.bzimage, words))
    made.until_ready()
    made.program("sh", "-c", f"mkdir -p /etc/khib && cp {made.settings} {SETTINGS} && echo 'desktop = true' >>{SETTINGS}")
    made.settings = SETTINGS
    made.program("khib", "install", timeout=300)
    assert made.run("setup", timeout=300)[0] == 0, made.reason()
    made.program("sh", "-c", f"printf '{HOOK}' >/etc/systemd/system-sleep-x; mkdir -p /etc/systemd/system-sleep")
    made.program(
        "sh", "-c", "mv /etc/systemd/system-sleep-x /etc/systemd/system-sleep/note; chmod 755 /etc/systemd/system-sleep/note"
    )
    made.ask("fill", percent=30, shadow=lab.shadow)
    made.ask("remember", deep=False)
    yield made
    made.end()


def asleep_and_awake(session: Session, *command: str) -> None:
    """Let systemd hibernate, and C bring it back."""
    session.digests.clear()
    session.running.tell(do="program", argv=list(command))
    for event in session.running.events(240):
        session.pass_on(event)
    session.running.wait()
    session.running.close()
    session.boot(session.lab.boot_c())
    for event in session.running.events(240):
        session.pass_on(event)
        if isinstance(event, Stage) and (event.stage, event.status) == (StageName.RESTORE, Status.DONE):
            time.sleep(WAKING)  # nobody tells of A's return here, and C must not take what is meant for A
            return
    raise session.lost("A did not come back")


def test_systemctl_hibernate_is_khib_s(session: Session) -> None:
    asleep_and_awake(session, "systemctl", "hibernate")
    session.program(
        "sh", "-c", "for i in $(seq 60); do systemctl is-active -q systemd-hibernate.service || break; sleep 1; done"
    )
    assert session.ask("check", deep=False)["intact"]
    assert session.read("/var/tmp/hooks").splitlines() == ["pre hibernate hibernate", "post hibernate hibernate"]
    assert session.program("systemctl", "show", "-P", "Result", "systemd-hibernate.service").strip() == "success"
    assert session.program("cat", "/sys/fs/cgroup/user.slice/cgroup.freeze").strip() == "0"


def test_a_refusal_is_a_failure_with_its_reason(session: Session) -> None:
    session.program("sh", "-c", "mkfs.ext4 -q -F /dev/vdb1; mkdir -p /mnt/x; mount /dev/vdb1 /mnt/x")
    session.program("sh", "-c", "systemctl start systemd-hibernate.service; true", timeout=120)
    assert session.program("systemctl", "show", "-P", "Result", "systemd-hibernate.service").strip() == "exit-code"
    log = session.program("journalctl", "-q", "-u", "systemd-hibernate.service", "-n", "20", "--no-pager")
    assert "mounted at /mnt/x" in log
    session.program("umount", "/mnt/x")
