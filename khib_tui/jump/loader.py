"""Loading B: which bytes go to which physical pages, and handing them to the kernel.

B's memory, from below: the pages under 640 KiB; the kernel at the first place that holds it; free memory; then, at the top of a
range of the region, initramfs, hand-over, boot_params, command line and stub, and the mailbox page. Everything is
swapped, so everything of A that was there comes back.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from khib_tui.decide.memorymap import e820
from khib_tui.decide.place import first_place
from khib_tui.decide.region import Region, assert_complete
from khib_tui.errors import Refused
from khib_tui.formats.bzimage import BzImage
from khib_tui.i18n import _
from khib_tui.jump import stubs
from khib_tui.jump.bootparams import boot_params
from khib_tui.linux.syscalls import KexecSegment
from khib_tui.model.limits import KEXEC_SEGMENT_MAX
from khib_tui.model.machine import Machine
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE

COMMAND_LINE_MAX = 2047
_SETUP_PAGES = 4


def pages(count: int) -> int:
    """Round bytes up to whole pages."""
    return -(-count // PAGE) * PAGE


class Layout(Struct, frozen=True):
    """Where the parts of B lie, as physical addresses; decided from sizes alone."""

    kernel: int
    kernel_end: int
    initrd: int
    handover: int
    setup: int
    mailbox: int

    @property
    def boot_params(self) -> int:
        """The zero page."""
        return self.setup

    @property
    def command_line(self) -> int:
        """The page after it."""
        return self.setup + PAGE

    @property
    def stub(self) -> int:
        """The page that is entered."""
        return self.setup + 2 * PAGE

    @property
    def stack(self) -> int:
        """The end of the last page of the set-up block."""
        return self.setup + _SETUP_PAGES * PAGE


def layout(region: Region, kernel: BzImage, initrd_size: int, handover_size: int) -> Layout:
    """Place B's parts in the region.

    :raises Refused: no range of the region holds them.
    """
    start = first_place(region.main, pages(kernel.init_size), kernel.pref_address, kernel.kernel_alignment)
    if start is None:
        raise Refused(_("the kernel does not fit into the region"), hint=_("choose another kernel"), ident="HIB-E-REGION-HOLE")
    end = start + pages(kernel.init_size)
    block = pages(initrd_size) + pages(handover_size) + (_SETUP_PAGES + 1) * PAGE
    free = region.main - Ranges.of([(start, end)])
    for low, high in reversed(free.spans):
        if high - low >= block:
            mailbox = high - PAGE
            setup = mailbox - _SETUP_PAGES * PAGE
            handover = setup - pages(handover_size)
            return Layout(start, end, handover - pages(initrd_size), handover, setup, mailbox)
    raise Refused(_("the initramfs does not fit into the region"), hint=_("choose a larger region"), ident="HIB-E-REGION-SMALL")


class LoadedB(Struct, frozen=True):
    """All that kexec_load(2) is told, and what was derived from it."""

    layout: Layout
    segments: tuple[KexecSegment, ...]
    memory: tuple[tuple[int, int, int], ...]

    @property
    def swapped(self) -> Ranges:
        """The pages that really are swapped, in bytes."""
        return Ranges.of((segment.start, segment.end) for segment in self.segments)

    @property
    def ram(self) -> Ranges:
        """What B takes for its RAM."""
        return Ranges.of((start, start + count) for start, count, kind in self.memory if kind == 1)


def prepare(
    machine: Machine, region: Region, kernel: BzImage, *, payload: memoryview, initrd: memoryview, handover: bytes,
    command_line: str, of_a: bytes,
) -> LoadedB:  # fmt: skip
    """Make the segments of B and assert that no page of A is lost by them.

    :param payload: the protected-mode kernel of the bzImage.
    :param handover: an uncompressed cpio archive, appended to `initrd`.
    :raises Refused: something does not fit.
    """
    text = command_line.encode("ascii")
    if len(text) > min(COMMAND_LINE_MAX, kernel.cmdline_size):
        raise Refused(_("the command line of B has {count} bytes, too many").format(count=len(text)), ident="HIB-E-CMDLINE")
    place = layout(region, kernel, len(initrd), len(handover))
    memory = tuple(e820(machine.firmware_memmap, region.own - Ranges.of([(place.mailbox, place.mailbox + PAGE)])))
    zero_page = boot_params(
        kernel, memory=memory, command_line=place.command_line, of_a=of_a, acpi_rsdp=machine.root_pointer,
        initrd=(place.initrd, place.handover - place.initrd + len(handover)),
    )  # fmt: skip
    stub = stubs.enter_b(place.stub, place.mailbox, place.kernel, place.boot_params, place.stack)
    setup = zero_page + text.ljust(PAGE, b"\0") + stub
    parts = (
        KexecSegment("kernel", place.kernel, place.kernel_end, payload),
        KexecSegment("initramfs", place.initrd, place.handover, initrd),
        KexecSegment("hand-over", place.handover, place.setup, handover),
        KexecSegment("boot parameters", place.setup, place.mailbox, setup),
        KexecSegment("mailbox", place.mailbox, place.mailbox + PAGE),
    )
    loaded = LoadedB(place, _fill(region, parts), memory)
    assert_complete(region, loaded.swapped, loaded.ram)
    return loaded


def _fill(region: Region, parts: Sequence[KexecSegment]) -> tuple[KexecSegment, ...]:
    """Add segments without data so that the whole region is swapped."""
    taken = Ranges.of((part.start, part.end) for part in parts)
    rest = [KexecSegment("swapped", start, end) for start, end in region.own - taken]
    segments = tuple(sorted((*parts, *rest), key=lambda segment: segment.start))
    if len(segments) > KEXEC_SEGMENT_MAX:
        raise Refused(
            _("the region has too many holes: {count} segments, the kernel takes {most}").format(
                count=len(segments), most=KEXEC_SEGMENT_MAX
            ),
            hint=_("choose a smaller region"),
            ident="HIB-E-SEGMENTS",
        )
    return segments
