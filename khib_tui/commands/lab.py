"""`khib lab`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui.errors import Exit
from khib_tui.events.types import Result, Sink

if TYPE_CHECKING:
    from argparse import Namespace


def lab(arguments: Namespace, sink: Sink) -> int:
    """Return the guest's console, with the wizard."""
    from khib_tui.lab.console import interactive

    return interactive(arguments, sink)


def lab_demo(arguments: Namespace, sink: Sink) -> int:
    """Play whole cycles."""
    from khib_tui.lab.demo import demo

    return demo(arguments, sink)


def lab_boots(arguments: Namespace, sink: Sink) -> int:
    """Play a cycle of each computer with each firmware and boot loader."""
    from khib_tui.lab.boots import boots

    return boots(arguments, sink)


def lab_places(arguments: Namespace, sink: Sink) -> int:
    """Play the image in a file of A's own, on each filesystem."""
    from khib_tui.lab.places import places

    return places(arguments, sink)


def lab_prints(arguments: Namespace, sink: Sink) -> int:
    """Play the matrix of what is noticed on a sleeping system's disks."""
    from khib_tui.lab.prints import matrix

    return matrix(arguments, sink)


def lab_pictures(arguments: Namespace, sink: Sink) -> int:
    """Take pictures of the screen in B and C."""
    from khib_tui.lab.pictures import pictures

    return pictures(arguments, sink)


def lab_kernel(arguments: Namespace, sink: Sink) -> int:
    """Build the guest kernel."""
    from khib_tui.lab.build.kernel import guest_kernel

    kernel = guest_kernel(sink, arguments.linux_source)
    sink(Result("lab kernel", True, f"{kernel.release}: {kernel.bzimage}", {"bzimage": str(kernel.bzimage)}))
    return Exit.OK
