"""An echo: A enters one page of code that goes straight back by the way back itself.

Devices freeze and thaw, processors leave and come back, one page is swapped twice; no other kernel runs.
"""

from __future__ import annotations

from khib_tui.decide.region import system_ram
from khib_tui.jump import stubs
from khib_tui.jump.back import stub_page
from khib_tui.linux.syscalls import KexecSegment, kexec_load
from khib_tui.model.machine import Machine
from khib_tui.model.units import PAGE


def echo_page(machine: Machine) -> int:
    """Choose the page, by its physical address: any of A's RAM will do, for whoever owns it gets it back."""
    return stub_page(system_ram(machine.iomem).spans)


def echo_segment(page: int, gdt: int) -> KexecSegment:
    """Return all that is loaded; it is entered at its start.

    :param gdt: virtual address of A's GDT.
    """
    return KexecSegment("echo", page, page + PAGE, stubs.echo(gdt))


def load_echo(page: int, gdt: int) -> None:
    """Load the echo; `reboot(REBOOT_KEXEC)` then returns after it.

    :raises CommandFailed: the kernel refuses.
    """
    kexec_load(page, (echo_segment(page, gdt),), preserve_context=True)
