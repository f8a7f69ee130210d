#!/usr/bin/python3
"""PID 1 of the guest in Bochs: an echo as `khib rehearse --echo` does it, with or without the instructions that set CR0.WP."""

import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, "/usr/lib/khib")

from khib_tui.init import mount_all
from khib_tui.jump import stubs
from khib_tui.jump.echo import echo_segment
from khib_tui.jump.gdt import read_facts
from khib_tui.linux import syscalls

PAGE_AT = 0x200_0000
NOP = b"\x90"


def say(text: str) -> None:
    """Say it as a line of the kernel's, which no other line cuts in two."""
    Path("/dev/kmsg").write_text(f"echo: {text}\n")


def echo(write_protect: bool) -> None:
    segment = echo_segment(PAGE_AT, read_facts().gdt)
    data = bytes(segment.data)
    if not write_protect:
        data = data.replace(stubs.SET_WRITE_PROTECT, NOP * len(stubs.SET_WRITE_PROTECT))
    changed = data != segment.data
    segment = syscalls.KexecSegment(segment.name, segment.start, segment.end, data)
    syscalls.kexec_load(segment.start, [segment], preserve_context=True)
    say(f"jumping, the page is {'changed' if changed else 'as it is'}")
    syscalls.reboot(syscalls.REBOOT_KEXEC)
    say("back")
    time.sleep(1)
    say("alive")


try:
    mount_all()
    echo("without-wp" not in Path("/proc/cmdline").read_text().split())
except BaseException:
    traceback.print_exc()
finally:
    syscalls.reboot(syscalls.REBOOT_POWER_OFF)
