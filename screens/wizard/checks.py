"""Step 1: can this machine hibernate at all?"""

from __future__ import annotations

import urwid

from khib_tui.decide.choice import judge
from khib_tui.decide.findings import blockers, refuse
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _, ngettext
from khib_tui.model.settings import Settings
from screens.ui import keys, widgets
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage


class ChecksPage(StepPage):
    """The findings of all checks, the bad ones in focus."""

    title = N_("Checks")
    help = N_(
        "[ ok ] is fine. [warn] works, but read it. [STOP] must be solved before hibernation is possible; "
        "the line with -> says how. Press Retry afterwards. What is fine is folded into the last line."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow, note: str = "") -> None:
        self.findings = judge(flow.machine, flow.settings)
        bad = [finding for finding in self.findings if finding.severity != Severity.OK]
        stop = next((at for at, finding in enumerate(bad) if finding.severity == Severity.BLOCKER), None)
        fine = len(self.findings) - len(bad)
        label = ngettext("{count} check is fine: show it", "{count} checks are fine: show all", fine).format(count=fine)
        fold = widgets.alone(label, self.unfold)
        body = widgets.listed([*map(_row, bad), fold], stop or 0, intro=self.summary())
        self.walker = widgets.rows_of(body)
        retry = [(_("Retry"), lambda: flow.look_again(lambda: flow.go(0)))]
        super().__init__(flow, note, body, retry, focus=0 if stop is None else None)

    def unfold(self) -> None:
        """List the fine ones too."""
        self.walker[-1:] = [_row(finding) for finding in self.findings if finding.severity == Severity.OK]

    def summary(self) -> str:
        """Count the findings."""
        blocked = len(blockers(self.findings))
        warned = sum(finding.severity == Severity.WARNING for finding in self.findings)
        if blocked:
            return _("{blocked} of {count} checks failed:").format(blocked=blocked, count=len(self.findings))
        if warned:
            return _("This machine can hibernate; {warned} of {count} checks warn:").format(
                warned=warned, count=len(self.findings)
            )
        return _("This machine can hibernate: all {count} checks are fine.").format(count=len(self.findings))

    def answer(self) -> Settings:
        """Return the settings as they are.

        :raises Refused: a blocker stands.
        """
        refuse(self.findings)
        return self.flow.settings


def _row(finding: Finding) -> urwid.AttrMap[urwid.Columns]:
    text = widgets.finding_text(finding)
    return widgets.item(widgets.mark(finding.severity), text, widgets.attribute(finding.severity))
