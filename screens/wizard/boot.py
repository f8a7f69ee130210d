"""Step 6: what starts the restorer when the machine is switched on again?"""

from __future__ import annotations

import msgspec
import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.decide import bootloader, landing, nextboot, region
from khib_tui.decide.choice import choose_kernel
from khib_tui.decide.nextboot import OneShot
from khib_tui.errors import KhibError
from khib_tui.i18n import N_, _
from khib_tui.model import target as targets
from khib_tui.model.boot import Loader, LoaderKind
from khib_tui.model.settings import Settings
from screens.ui import keys, widgets
from screens.ui.shown import Text, shown
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

INTRO = N_(
    "When the machine is switched on again, a boot loader starts the restorer. It gets one more entry, never its default."
)
NAMES = {
    LoaderKind.SYSTEMD_BOOT: "systemd-boot",
    LoaderKind.GRUB: N_("GRUB, by a marked block in its custom.cfg"),
    LoaderKind.GRUB_BLS: N_("GRUB, by an entry of the Boot Loader Specification"),
    LoaderKind.EFI: N_("the firmware itself, by an EFI boot entry"),
    LoaderKind.BLS: N_("whatever reads Boot Loader Specification entries"),
}


class BootPage(StepPage):
    """The boot loaders that this machine may have, the proposed one first."""

    title = N_("Boot entry")
    intro = INTRO
    help = N_(
        "Set-up reads the entry back as the boot loader would. `khib setup --remove` takes it away "
        "again, and all else of its file stays as it is."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow, note: str = "") -> None:
        self.group: list[urwid.RadioButton] = []
        self.machine, kept = flow.machine, flow.settings.target
        self.target = targets.resolved(targets.parse(kept), flow.machine.devices) if kept else None
        offered = bootloader.offered(flow.machine, flow.settings)
        self.kinds = [LoaderKind.AUTO, *(loader.kind for loader in offered)]
        named = flow.settings.loader if flow.settings.loader in self.kinds else LoaderKind.AUTO
        rows = [
            *self.choice(
                _("Automatic: {loader} (proposed)").format(loader=_(NAMES[offered[0].kind])), LoaderKind.AUTO, named, offered[0]
            )
        ]
        for loader in offered:
            rows += self.choice(_(NAMES[loader.kind]), loader.kind, named, loader)
        super().__init__(flow, note, widgets.listed([*rows, *way(flow)], intro=_(INTRO)))

    def choice(self, label: str, kind: LoaderKind, named: LoaderKind, loader: Loader) -> list[AbstractFlowWidget]:
        """Make the lines of a boot loader: its name, and where the entry goes."""
        button = urwid.RadioButton(self.group, shown(label), kind is named)
        start = nextboot.choose(self.machine, loader, self.target)
        by = (
            _("chosen in its menu after a hibernation")
            if start is OneShot.HAND
            else _("resumes by itself, by {start}").format(start=_(start))
        )
        where = _("{by}; entry in {entry}, kernel and initramfs below {folder}").format(
            by=by, entry=loader.entry, folder=loader.folder.path
        )
        return [urwid.AttrMap(button, None, "focus"), urwid.Padding(Text(("dim", where)), left=4)]

    def entered(self) -> Settings:
        """Return the settings with the boot loader."""
        chosen = next(kind for kind, button in zip(self.kinds, self.group, strict=True) if button.get_state())
        return msgspec.structs.replace(self.flow.settings, loader=chosen)


def way(flow: Flow) -> list[AbstractFlowWidget]:
    """Say where the restorer will be put, and whether it has to move from there; nothing as long as there is no region."""
    try:
        kernel = choose_kernel(flow.machine, flow.settings)
        chosen = region.choose(flow.machine, kernel, flow.settings.region)
    except KhibError:
        return []
    return [Text(("dim", _("On this machine {what}.").format(what=landing.judge(flow.machine, kernel, chosen).what)))]
