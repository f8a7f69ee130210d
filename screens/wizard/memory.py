"""Step 3: how much memory do saver and restorer live in?"""

from __future__ import annotations

from contextlib import suppress

import msgspec
import urwid

from khib_tui.decide import region
from khib_tui.decide.choice import choose_kernel
from khib_tui.decide.region import Region
from khib_tui.errors import KhibError
from khib_tui.events.types import Failure
from khib_tui.i18n import N_, _
from khib_tui.model.choices import AUTOMATIC
from khib_tui.model.ranges import Ranges
from khib_tui.model.settings import Settings
from khib_tui.model.units import MIB, size
from screens.ui import keys, widgets
from screens.ui.shown import Text
from screens.wizard.flow import Flow
from screens.wizard.rambar import LEGEND, RamBar, meaning
from screens.wizard.step import StepPage

STEP = 16 * MIB
MORE = tuple(count * MIB for count in (64, 192, 320, 576))
INTRO = N_(
    "Saver and restorer live in a region of memory; what this system has there is swapped aside "
    "meanwhile. The rest is written to the image, page for page."
)


class MemoryPage(StepPage):
    """The size of the region, and everything that follows from it."""

    title = N_("Memory region")
    intro = INTRO
    help = N_(
        "What the kernel needs is right unless a rehearsal fails for lack of memory. The memmap= "
        "parameters keep the restorer inside the region; they go into its boot entry."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow, note: str = "") -> None:
        self.flow = flow
        self.sizes = sizes(flow)
        self.drop = widgets.DropDown(
            [label(count, least(flow)) for count in self.sizes], self.sizes.index(flow.settings.region)
        )
        urwid.connect_signal(self.drop, "change", self.changed)
        self.facts, self.ram = Text(""), RamBar()
        field = widgets.field(_("Size of the region:"), self.drop)
        body = widgets.listed([field, urwid.Divider(), self.ram, Text(_(LEGEND)), self.facts], intro=_(INTRO), fields=True)
        self.walker = widgets.rows_of(body)
        self.above = len(self.walker)
        super().__init__(flow, note, body)
        self.show(flow.settings.region)

    def changed(self, _: urwid.DropDown, index: int) -> None:
        """Show what another size means."""
        self.show(self.sizes[index])

    def chosen(self, count: int) -> Region:
        """Return the region of a size.

        :raises Refused: this machine has no such region.
        """
        machine, settings = self.flow.machine, self.flow.settings
        return region.choose(machine, choose_kernel(machine, settings), count)

    def show(self, count: int) -> None:
        """Show the region of a size, or why there is none."""
        try:
            chosen = self.chosen(count)
        except KhibError as error:
            self.facts.set_text(("blocker", Failure.of(error).text))
            self.ram.show(None, Ranges())
            del self.walker[self.above :]
            return
        self.facts.set_text(facts(chosen, self.flow.machine.mem_available))
        self.ram.show(chosen, region.running_kernel(self.flow.machine))
        words = region.memmap_words(self.flow.machine, chosen)
        told = [Text(f"{word}\n    {meaning(word)}") for word in words]
        self.walker[self.above :] = [Text(("heading", _("Parameters that keep the restorer there:"))), *told]

    def entered(self) -> Settings:
        """Return the settings with the size."""
        return msgspec.structs.replace(self.flow.settings, region=self.sizes[self.drop.selected])

    def answer(self) -> Settings:
        """Return the settings with the size.

        :raises Refused: this machine has no such region.
        """
        settings = self.entered()
        self.chosen(settings.region)
        return settings


def least(flow: Flow) -> int:
    """Return the smallest region that can do, in bytes, rounded up; 0 where no kernel can save."""
    with suppress(KhibError):
        kernel = choose_kernel(flow.machine, flow.settings)
        return -(-region.proposed(kernel.init_size, flow.machine.cpu.count) // STEP) * STEP
    return 0


def sizes(flow: Flow) -> list[int]:
    """Return the sizes that can be chosen, from what the kernel needs upwards, and the one that was."""
    return sorted({AUTOMATIC, flow.settings.region, *(least(flow) + more for more in MORE)})


def label(count: int, smallest: int) -> str:
    """Format a size that can be chosen."""
    automatic = _("what the kernel needs (from {size})").format(size=size(smallest))
    return automatic if count == AUTOMATIC else size(count)


def facts(chosen: Region, available: int) -> list[str | tuple[str, str]]:
    """Return where the region is, what is swapped and saved, and whether there is memory to load the saver."""
    spans = "\n".join(f"    {start:#x}-{end - 1:#x}  {size(end - start)}" for start, end in chosen.own)
    lines: list[str | tuple[str, str]] = [
        _("Swapped aside: {size} of {total}, at\n{spans}").format(
            size=size(chosen.own.total), total=size(chosen.ram.total), spans=spans
        )
        + "\n",
        _("Saved to the image: {size} at most, before compression").format(size=size(chosen.saved.total)) + "\n",
        _("Free memory to load the saver: {needed} needed, {size} there").format(
            needed=size(chosen.needed_memory), size=size(available)
        ),
    ]
    try:
        region.refuse_without_memory(chosen, available)
    except KhibError as error:
        lines.append(("warning", "\n" + _("Not now: {text}").format(text=Failure.of(error).text)))
    return lines
