"""Step 2: which kernel saves and restores?"""

from __future__ import annotations

from functools import partial

import msgspec
import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.decide.choice import choose_kernel
from khib_tui.decide.kernel import unfit_as_saver
from khib_tui.errors import KhibError
from khib_tui.events.types import Level
from khib_tui.i18n import N_, _
from khib_tui.model.machine import KernelFile
from khib_tui.model.settings import Settings
from screens.ui import keys, widgets
from screens.ui.shown import Text, shown
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

INTRO = N_(
    "A second kernel, the saver, writes the image while this system stands still, and the same kernel "
    "restores it. A copy of it is kept, so that updates do not matter."
)


class KernelPage(StepPage):
    """The kernels in /boot; those that are unfit say why."""

    title = N_("Kernel")
    intro = INTRO
    help = N_("(-) marks a kernel that is not fit; the line below it says why.")
    keys = keys.LIST

    def __init__(self, flow: Flow, note: str = "") -> None:
        self.group: list[urwid.RadioButton] = []
        self.paths: list[str] = []
        self.settings = flow.settings
        rows: list[AbstractFlowWidget] = [self.choice("", _("Automatic: {kernel}").format(kernel=automatic(flow)))]
        for kernel in flow.machine.kernels:
            rows += self.kernel_rows(kernel, running=kernel.release == flow.machine.release)
        chosen = [path for path in self.paths if path == flow.settings.kernel]
        if not chosen:
            self.group[0].set_state(True)
        super().__init__(flow, note, widgets.listed(rows, intro=_(INTRO)))

    def choice(self, path: str, label: str) -> urwid.AttrMap[urwid.RadioButton]:
        """Make the line of a kernel that can be chosen."""
        self.paths.append(path)
        return urwid.AttrMap(urwid.RadioButton(self.group, shown(label), path == self.settings.kernel), None, "focus")

    def kernel_rows(self, kernel: KernelFile, *, running: bool) -> list[AbstractFlowWidget]:
        """Make the lines of a kernel."""
        now = _("(running now)")
        label = f"{kernel.release}{f' {now}' if running else ''}  {kernel.path}"
        reasons = unfit_as_saver(kernel)
        if not reasons:
            return [self.choice(kernel.path, label)]
        text = _("{release} cannot save: {reasons}").format(release=kernel.release, reasons="; ".join(reasons))
        tell = partial(self.tell, text, Level.WARNING)
        unfit = urwid.Button(shown(label), lambda _: tell(), left="(-)", right="")
        return [urwid.AttrMap(unfit, "dim", "focus"), urwid.Padding(Text(("dim", "\n".join(reasons))), left=4)]

    def entered(self) -> Settings:
        """Return the settings with the kernel."""
        chosen = next(path for path, button in zip(self.paths, self.group, strict=True) if button.get_state())
        return msgspec.structs.replace(self.flow.settings, kernel=chosen)

    def answer(self) -> Settings:
        """Return the settings with the kernel.

        :raises Refused: it is not fit, or there is none.
        """
        settings = self.entered()
        choose_kernel(self.flow.machine, settings)
        return settings


def automatic(flow: Flow) -> str:
    """Return which kernel is taken if none is chosen."""
    try:
        kernel = choose_kernel(flow.machine, msgspec.structs.replace(flow.settings, kernel=""))
    except KhibError as error:
        return error.message
    return _("the running kernel if it is fit; now {release}").format(release=kernel.release)
