"""Step 4: where does the image go?"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import urwid
from urwid import Align, TableColumn, WHSettings

from khib_tui.decide import region, room, swapplace
from khib_tui.decide.choice import choose_kernel, image_limit
from khib_tui.decide.findings import refuse
from khib_tui.decide.target import candidates, refusals
from khib_tui.errors import KhibError, Refused, UsageError
from khib_tui.events.types import Finding, Level
from khib_tui.i18n import N_, _, ngettext
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.model.units import size
from screens.ui import keys, widgets
from screens.ui.shown import Line, Text, shown
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

# The most columns that names take for themselves; longer ones wrap, none is ever cut.
NAME = 26


def columns() -> list[TableColumn]:
    """Return the headings of the list, but for the first one."""
    return [
        TableColumn(shown(_("Size")), align=Align.RIGHT, min_width=8),
        TableColumn(shown(_("Model, serial")), (WHSettings.WEIGHT, 3), min_width=4),
        TableColumn(shown(_("Content")), min_width=4),
    ]


# What is told of the content of a place without a name for it.
CONTENTS = (N_("empty"), N_("unknown"))
Verdict = tuple[Target, list[Finding]]


class TargetPage(StepPage):
    """All disks and partitions; the unfit ones say why, in the engine's words."""

    title = N_("Image target")
    help = N_(
        "Enter chooses the line. An empty partition is overwritten whole. A file: line is a file that is "
        "made on a filesystem of this system, in its free room; nothing else there is touched. A swap: line "
        "is a swap of this system, which is off while the image lies there. A partition with a filesystem "
        "that is not mounted can take the image as a file, too: write its path, such as /hibernate.khib, "
        "then choose the line. Look again: reads the disks anew, for instance after plugging one in."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow, note: str = "") -> None:
        self.flow = flow
        self.chosen, path = kept(flow.settings.target, flow.machine.devices)
        self.need = needed(flow)
        self.verdicts: list[Verdict] = []
        names = [len(name_of(target)) + 4 for target, _ in candidates(flow.machine, self.need)]
        width = min(max(names, default=0), NAME)
        self.table = widgets.table([TableColumn("    " + shown(_("Device, verdict")), min_width=max(width, 1)), *columns()])
        self.file = urwid.Edit("", path, max_length=200, placeholder=shown(_("(none: the whole place is used)")))
        urwid.connect_signal(self.table, "activate", self.choose)
        urwid.connect_signal(self.file, "postchange", lambda *_: self.fill())
        intro = _("The image needs {size} at most. A partition or disk is overwritten whole.").format(size=size(self.need))
        body = widgets.headed(intro, self.table, [widgets.field(_("File in it, if any:"), self.file)])
        again = [(_("Look again"), lambda: flow.look_again(lambda: flow.go(3)))]
        super().__init__(flow, note, body, again, focus=None)
        self.fill()

    def fill(self) -> None:
        """Judge all places anew, for the file that is named now, and list them."""
        machine, path = self.flow.machine, self.file.edit_text.strip()
        at = self.table.focus_position // 2 if self.verdicts else self.first()
        found = candidates(machine, self.need)
        places = [target if target.beneath else Target(target.device, path) for target, _ in found]
        self.verdicts = [(target, refusals(machine, target, self.need)) for target in places]
        self.table.body[:] = [row for verdict in self.verdicts for row in self.lines(*verdict)]
        if self.verdicts:
            self.table.focus_position = 2 * min(at, len(self.verdicts) - 1)

    def first(self) -> int:
        """Return the place to begin with: the chosen one, else the first fit one."""
        listed = candidates(self.flow.machine, self.need)
        chosen = [index for index, (target, _found) in enumerate(listed) if name_of(target) == self.chosen]
        fit = [index for index, (_target, findings) in enumerate(listed) if not findings]
        return (chosen or fit or [0])[0]

    def lines(self, target: Target, findings: list[Finding]) -> list[urwid.TableRow]:
        """Make the two lines of a place: what it is, and what is against it."""
        device = self.flow.machine.device(target.device)
        name = name_of(target)
        mark = "(*)" if name == self.chosen else "(-)" if findings else "( )"
        cell = Line(f"{mark} {name}", 0, wrap="any")
        verdict = "; ".join(finding.what for finding in findings)
        narrow = [] if findings else room.tight(self.flow.machine, target, self.need)
        attr = "dim" if findings else "warning" if narrow else "ok"
        below = urwid.Padding(
            Text(_("no: {verdict}").format(verdict=verdict) if verdict else fit(self.flow.machine, target, narrow)), left=6
        )
        make = self.table.layout.row
        return [
            make([cell, *(cells(device) if device else ())], attr=attr),
            make([below], attr=attr, span=True, selectable=False),
        ]

    def choose(self, _table: urwid.Table, index: int) -> None:
        """Take a place, or say why it cannot be taken."""
        target, findings = self.verdicts[index // 2]
        if findings:
            rest = len(findings) - 1
            more = ngettext("and {count} more reason", "and {count} more reasons", rest).format(count=rest) if rest else ""
            self.tell(f"{widgets.finding_text(findings[0])}{more and f' ({more})'}", Level.ERROR)
            return
        self.chosen = name_of(target)
        self.fill()
        narrow = room.tight(self.flow.machine, target, self.need)
        if narrow:
            self.tell(
                _("{target} takes the image, if it is not more than likely. {why}.").format(target=target, why=narrow[0].why),
                Level.WARNING,
            )
        else:
            self.tell(_("{target} takes the image.").format(target=target))

    def entered(self) -> Settings:
        """Return the settings with the place; a file that is no path is left out."""
        path = self.file.edit_text.strip()
        whole = bool(self.chosen) and targets.parse(self.chosen).whole
        text = f"{self.chosen}:{path}" if self.chosen and not whole and path.startswith("/") else self.chosen
        return msgspec.structs.replace(self.flow.settings, target=text)

    def answer(self) -> Settings:
        """Return the settings with the place.

        :raises KhibError: none is chosen, or it is not fit.
        """
        if not self.chosen:
            raise Refused(_("no place is chosen yet"), hint=_("press Enter on a line that is fit"), ident="HIB-E-NO-TARGET")
        path = self.file.edit_text.strip()
        chosen = targets.parse(self.chosen)
        target = chosen if chosen.whole else targets.parse(f"{self.chosen}:{path}" if path else self.chosen)
        if path and not target.path and not target.remote:
            raise UsageError(_("'{path}' is no path").format(path=path), hint=_("begin it with /"), ident="HIB-E-TARGET")
        here = targets.resolved(target, self.flow.machine.devices)
        refuse(refusals(self.flow.machine, here, self.need))
        return msgspec.structs.replace(self.flow.settings, target=targets.lasting(target, self.flow.machine.devices))

    def next(self) -> None:
        """Go on, once the file was looked at where it is to be."""
        try:
            settings = self.answer()
        except KhibError as error:
            self.refuse(error)
            return
        target = targets.parse(settings.target)
        self.flow.inspect(target, self.need, lambda: self.flow.forward(settings))


def kept(text: str, devices: Sequence[BlockDevice]) -> tuple[str, str]:
    """Return the name of the target in the settings, and a path in it; nothing if they make no sense."""
    try:
        target = targets.resolved(targets.parse(text), devices)
    except KhibError:
        return "", ""
    return name_of(target), "" if target.whole else target.path


def name_of(target: Target) -> str:
    """Return what a place is called in the list: a device whatever file is in it; all of what is spelled whole."""
    return str(target) if target.whole else target.device


def fit(machine: Machine, target: Target, narrow: Sequence[Finding]) -> str:
    """Say in words what a place that is fit costs."""
    if narrow:
        return _("fit, but tight: {what}; {why}").format(what=narrow[0].what, why=narrow[0].why)
    if target.swap:
        return _("fit: {what}").format(what=swapplace.deed(machine, target).what)
    return _("fit: made in the free room of {device}").format(device=target.device) if target.own else _("fit")


def needed(flow: Flow) -> int:
    """Return the bytes that an image may need."""
    kernel = choose_kernel(flow.machine, flow.settings)
    return image_limit(region.choose(flow.machine, kernel, flow.settings.region))


def cells(device: BlockDevice) -> list[urwid.Widget | str]:
    """Format size, model and content of a device."""
    content = device.fstype or (_("table {table}").format(table=device.table) if device.table else _(device.content) or "?")
    label = f" {device.label}" if device.label else ""
    bus = " " + _("(removable)") if device.removable else ""
    model = f"{device.model} {device.serial}".strip()
    return [size(device.size), Text(f"{model}{bus}"), Text(f"{content}{label}")]
