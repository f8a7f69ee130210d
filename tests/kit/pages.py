"""Every page of the wizard, found by itself, and how each is made alone."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import screens.wizard
from khib_tui.handover.handover import Mode
from khib_tui.plan.task import Ending, Task, task_of
from khib_tui.seal import crypto
from khib_tui.seal.keyslots import Cipher
from screens.ui.page import Page
from screens.wizard.readback import ReadBackPage
from screens.wizard.result import ResultPage
from screens.wizard.run import RunPage
from screens.wizard.seal import RecoveryKeyPage
from screens.wizard.step import StepPage
from tests.kit.fakeflow import FakeFlow
from tests.kit.screens_kit import press, until

MakePage = Callable[[FakeFlow], Page]


def task(flow: FakeFlow, mode: Mode | None = Mode.SAVE) -> Task:
    """What would be run from this flow."""
    return task_of(flow.machine, flow.settings, flow.path, mode)


# Pages that need more than a flow.
MAKERS: dict[type[Page], MakePage] = {
    ReadBackPage: lambda flow: ReadBackPage(flow, *crypto.create("a good passphrase", Cipher.AES), flow.home),
    RecoveryKeyPage: lambda flow: RecoveryKeyPage(flow, *crypto.create("a good passphrase", Cipher.AES)),
    ResultPage: lambda flow: ResultPage(flow, task(flow, None), Ending("Ready", "Everything is in place.")),
    RunPage: lambda flow: RunPage(flow, task(flow)),
}


def pages() -> Iterator[type[Page]]:
    """All pages below `screens/wizard`; what only other pages are made from is none."""
    for module in pkgutil.iter_modules(screens.wizard.__path__, "screens.wizard."):
        for found in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(found, type)
                and issubclass(found, Page)
                and found.__module__ == module.name
                and found is not StepPage
            ):
                yield found


def make(kind: type[Page], flow: FakeFlow) -> Page:
    """Make a page on a flow, and show it."""
    page = MAKERS.get(kind, kind)(flow)
    flow.window.show(page)
    return page


def chosen(flow: FakeFlow, label: str, key: str = "tab") -> str:
    """Press a key until the cursor is on a button or line, and choose it; give the screen as one line."""
    until(flow.window, label, key)
    return " ".join(press(flow.window, "enter").replace("|", " ").split())
