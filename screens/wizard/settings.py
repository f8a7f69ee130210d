"""The choices, each with what it is now; one can be changed without going through the others."""

from __future__ import annotations

from functools import partial

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.i18n import N_, _
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
INTRO = N_("Enter changes one of them. Nothing is in force before 'Set up with these'.")


class SettingsPage(Page):
    """A line a choice."""

    title = N_("Settings")
    intro = INTRO
    help = N_(
        "What was changed has a *. The seal is changed at once. Rehearse the echo: freezes all "
        "devices, jumps into one page of code and comes straight back, which tries this machine's drivers "
        "without any of these choices."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        rows: list[AbstractFlowWidget] = []
        for step, names, label, text in choices(flow.settings):
            changed = any(getattr(flow.settings, name) != getattr(flow.kept, name) for name in names)
            rows.append(widgets.button(f"{'*' if changed else ' '} {label}: {text}", partial(flow.edit, step), wrap="space"))
        rows += [
            widgets.button("  " + _("Seal the images, or stop sealing"), flow.seal),
            urwid.Padding(Text(flow.seal_text()), left=6),
            widgets.button("  " + _("Rehearse the echo"), flow.echo),
        ]
        below: list[tuple[str, Press]] = [(_("Set up with these"), lambda: flow.travel(None))]
        below += [(_("Forget the changes"), flow.forget)] if flow.settings != flow.kept else []
        below.append((_("Back"), self.back))
        super().__init__(flow.window, widgets.listed(rows, intro=_(INTRO)), below, focus=None)

    def back(self) -> None:
        """Go home; what was changed stays as it is."""
        self.flow.home()


def choices(settings: Settings) -> list[tuple[int, tuple[str, ...], str, str]]:
    """Return for each choice the number of its page, the names of its settings, its label and its value in words."""
    region = size(settings.region) if settings.region else _("what the kernel needs")
    checked = _("read back before that") if settings.verify else _("not read back")
    return [
        (TARGET, ("target",), _("Image target"), settings.target or _("not chosen")),
        (OPTIONS, ("codec", "verify"), _("Compression and check"), f"{settings.codec}, {checked}"),
        (OPTIONS, ("after",), _("When it is written"), leaving(settings).partition(",")[0]),
        (OPTIONS, ("wake",), _("Wake by itself"), settings.wake or _("never")),
        (OPTIONS, ("countdown",), _("Resume after start"), waiting(settings.countdown)),
        (
            OPTIONS,
            ("desktop",),
            _("Lid, power menu, systemctl"),
            _("khib hibernates") if settings.desktop else _("as before khib"),
        ),
        (KERNEL, ("kernel",), _("Kernel of saver and restorer"), settings.kernel or _("automatic")),
        (MEMORY, ("region",), _("Memory region"), region),
        (BOOT, ("loader",), _("Boot entry"), str(settings.loader)),
    ]
