"""From findings to a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from khib_tui.errors import Refused
from khib_tui.events.types import Finding, Severity


def refuse(findings: Sequence[Finding]) -> None:
    """Refuse for the first blocker.

    :raises Refused: with its cause and next step.
    """
    for finding in blockers(findings):
        text = f"{finding.what}: {finding.why}" if finding.why else finding.what
        raise Refused(text, hint=finding.fix, ident=finding.ident)


def blockers(findings: Iterable[Finding]) -> list[Finding]:
    """Keep what makes hibernating impossible."""
    return [finding for finding in findings if finding.severity == Severity.BLOCKER]


def verdict(
    ident: str, good: bool, ok: str, what: str, why: str, fix: str, *, severity: Severity = Severity.BLOCKER
) -> Finding:
    """Return the finding of a check: `ok` if it is good, else what, why and what to do."""
    return Finding(ident, Severity.OK, ok) if good else Finding(ident, severity, what, why, fix)
