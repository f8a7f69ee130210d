"""The choices, each with what it is now; one can be changed without going through the others."""

from __future__ import annotations

from functools import partial

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.model.settings import Settings
from khib_tui.model.units import size
from khib_tui.plan.hibernate import leaving
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.ui.shown import Text
from screens.ui.widgets import Press
from screens.wizard.flow import Flow
from screens.wizard.options import waiting

KERNEL, MEMORY, TARGET, OPTIONS, BOOT = range(1, 6)
INTRO = "Enter changes one of them. Nothing is in force before 'Set up with these'."


class SettingsPage(Page):
    """A line a choice."""

    title = "Settings"
    help = (
        f"{INTRO} What was changed has a *. The seal is changed at once. Rehearse the echo: freezes all devices, jumps into "
        "one page of code and comes straight back, which tries this machine's drivers without any of these choices."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        rows: list[AbstractFlowWidget] = []
        for step, names, label, text in choices(flow.settings):
            changed = any(getattr(flow.settings, name) != getattr(flow.kept, name) for name in names)
            rows.append(widgets.button(f"{'*' if changed else ' '} {label}: {text}", partial(flow.edit, step), wrap="space"))
        rows += [
            widgets.button("  Seal the images, or stop sealing", flow.seal),
            urwid.Padding(Text(flow.seal_text()), left=6),
            widgets.button("  Rehearse the echo", flow.echo),
        ]
        below: list[tuple[str, Press]] = [("Set up with these", lambda: flow.travel(None))]
        below += [("Forget the changes", flow.forget)] if flow.settings != flow.kept else []
        below.append(("Back", self.back))
        super().__init__(flow.window, widgets.listed(rows, intro=INTRO), below, focus=None)

    def back(self) -> None:
        """Go home; what was changed stays as it is."""
        self.flow.home()


def choices(settings: Settings) -> list[tuple[int, tuple[str, ...], str, str]]:
    """Return for each choice the number of its page, the names of its settings, its label and its value in words."""
    region = size(settings.region) if settings.region else "what the kernel needs"
    checked = "read back before that" if settings.verify else "not read back"
    return [
        (TARGET, ("target",), "Image target", settings.target or "not chosen"),
        (OPTIONS, ("codec", "verify"), "Compression and check", f"{settings.codec}, {checked}"),
        (OPTIONS, ("after",), "When it is written", leaving(settings).partition(",")[0]),
        (OPTIONS, ("wake",), "Wake by itself", settings.wake or "never"),
        (OPTIONS, ("countdown",), "Resume after start", waiting(settings.countdown)),
        (OPTIONS, ("desktop",), "Lid, power menu, systemctl", "khib hibernates" if settings.desktop else "as before khib"),
        (KERNEL, ("kernel",), "Kernel of saver and restorer", settings.kernel or "automatic"),
        (MEMORY, ("region",), "Memory region", region),
        (BOOT, ("loader",), "Boot entry", str(settings.loader)),
    ]
