"""Kernel A's PID 1 in the lab, or a service of its systemd: gives the console to a person, or obeys the host by serial line."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Any

from khib_tui import runner
from khib_tui.handover.cmdline import Words
from khib_tui.linux.printk import quiet_kernel
from khib_tui.linux.syscalls import REBOOT_POWER_OFF, mount, reboot

LINE = "/dev/ttyS1"
_MS_REMOUNT_RDONLY = 33
WELCOME = """
This is kernel A in the lab: a throwaway machine. `khib` is the wizard, `exit` switches the machine off.
"""


def main() -> None:
    """Never returns."""
    words = Path("/proc/cmdline").read_text().split()
    os.environ["TERM"] = Words.read().terminal
    try:
        if "khib.lab=console" in words:
            console()
        else:
            Agent().serve()
    finally:
        power_off()


def power_off() -> None:
    """Switch the machine off as a well-behaved system does."""
    if os.getpid() > 1:
        runner.run(["systemctl", "poweroff"])
        time.sleep(600)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) > 1 and (entry / "cmdline").read_bytes():
            os.kill(int(entry.name), signal.SIGKILL)
    time.sleep(0.2)
    os.sync()
    for place in filter(os.path.ismount, ("/boot/efi", "/boot", "/")):
        remount_read_only(place)
    reboot(REBOOT_POWER_OFF)


def remount_read_only(place: str) -> None:
    """Wait for the last writers to be gone, then close a filesystem."""
    for _ in range(30):
        try:
            mount("none", place, "", _MS_REMOUNT_RDONLY)
        except OSError as error:
            last = error
            time.sleep(0.2)
        else:
            return
    print(f"{place}: {last}", flush=True)


def console() -> None:
    """Start the wizard on the console, then a shell."""
    words = Words.read()
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", words.rows, words.columns, 0, 0))
    quiet_kernel()
    print(WELCOME, flush=True)
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 1)
        os.execv("/bin/sh", ["/bin/sh", "-c", "cd /root; khib; exec /bin/bash -i"])
    while os.waitpid(-1, 0)[0] != child:
        pass


class Agent:
    """Runs what the host asks for; everything goes over the line as JSON."""

    def __init__(self) -> None:
        self.fd = os.open(LINE, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        path = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        self.workload = runner.spawn([sys.executable, "-m", "khib_tui.lab.guest.workload"], env=path, stdin=-1, stdout=-1)

    def say(self, **data: Any) -> None:
        """Tell the host something."""
        os.write(self.fd, json.dumps(data).encode() + b"\n")

    def serve(self) -> None:
        """Obey until told to power off."""
        self.say(agent="ready", uptime=time.monotonic())
        with os.fdopen(os.dup(self.fd), "rb", buffering=0) as stream:
            while True:
                line = b""
                while not line.endswith(b"\n"):
                    line += stream.read(1) or b""
                command = json.loads(line)
                if command["do"] == "poweroff":
                    return
                self.obey(command)

    def obey(self, command: dict[str, Any]) -> None:
        """Run one command."""
        if command["do"] == "run":
            self.run(command["argv"])
            return
        if command["do"] == "program":
            done = runner.run(command["argv"], check=False)
            self.say(output=(done.stdout + done.stderr)[:4000], code=done.returncode)
            return
        assert self.workload.stdin and self.workload.stdout
        self.workload.stdin.write(json.dumps(command).encode() + b"\n")
        self.workload.stdin.flush()
        self.say(answer=json.loads(self.workload.stdout.readline() or b'{"intact": false, "wrong": ["the process"]}'))

    def run(self, argv: list[str]) -> None:
        """Run a program whose output are JSON lines."""
        program = runner.spawn(argv, stdout=self.fd)
        code = program.wait()
        self.say(exit=code, argv=argv)


if __name__ == "__main__":
    main()
