"""Every page of every kernel, found by itself, on any screen: in A on a fake flow, in B and C on their window alone."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import urwid

import screens
from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.events.stages import in_saver
from khib_tui.events.types import Level, Message, Progress, Stage, StageName, Status
from khib_tui.image.header import State
from khib_tui.seal import crypto
from khib_tui.seal.keyslots import Cipher
from screens.progress.page import StagePage
from screens.restore.found import FoundPage
from screens.restore.images import ConsolePage
from screens.restore.refused import RefusedPage
from screens.restore.search import SearchPage
from screens.restore.unlock import UnlockPage
from screens.ui.page import Page
from screens.ui.window import Window
from screens.wizard.history import HistoryPage
from screens.wizard.home import HomePage
from screens.wizard.images import ImagesPage
from screens.wizard.readback import ReadBackPage
from screens.wizard.rehearsals import RehearsalsPage
from screens.wizard.run import RunPage
from screens.wizard.seal import RecoveryKeyPage
from screens.wizard.step import StepPage
from tests.kit.fakeflow import FakeFlow
from tests.kit.journeys import past
from tests.kit.pages import MAKERS
from tests.kit.restore_kit import image

MakePage = Callable[[FakeFlow], Page]
GIB = 1 << 30
PLACES = ("/dev/nvme0n1p4", "/dev/sda12")
RECOVERY = "FGYY-41V8-X9T7-0468-QKA3-X8K3-ZWRJ-5QFK"


def saving(window: Window) -> StagePage:
    """The screen of B in the middle of a save."""
    page = StagePage(window, "Hibernating", Stop())
    page.track.clock = lambda: page.track.started + 3
    for event in (
        in_saver(saves=True, verifies=True, returns=False),
        Message("/dev/nvme0n1p3 and 2 more are write-protected"), Message("a slow disk", Level.WARNING),
        Stage(StageName.SCAN, Status.DONE, "9.0 GiB free"), Stage(StageName.SAVE, Status.STARTED, "to /dev/nvme0n1p4"),
        Progress(StageName.SAVE, 3 * GIB, 12 * GIB, 3.0, rate=GIB, eta=9.0, image=GIB),
    ):  # fmt: skip
        page.take(event)
    return page


def images(flow: FakeFlow) -> ImagesPage:
    """The list with images in it."""
    page = ImagesPage(flow)
    page.look = lambda: page.fill([image(PLACES[0]), image(PLACES[1], State.ABANDONED)])  # type: ignore[method-assign]
    return page


def found(window: Window, *places: str) -> FoundPage:
    """C with images."""
    return FoundPage(window, [image(place) for place in places], -1)


def console(window: Window) -> ConsolePage:
    """C's list of images."""
    return ConsolePage(window, (), [image(PLACES[0]), image(PLACES[1], State.ABANDONED)])


def refused(window: Window) -> RefusedPage:
    """C with an image that it must not resume."""
    error = ImageError("the disks have changed", hint="boot normally", ident="HIB-E-DISKS")
    return RefusedPage(window, error, image(PLACES[0]), State.COMPLETE)


def recovery(flow: FakeFlow) -> RecoveryKeyPage:
    """The page with a key that is always the same."""
    seal, _ = crypto.create("a good passphrase", Cipher.AES)
    return RecoveryKeyPage(flow, seal, RECOVERY)


def with_past(kind: Callable[[FakeFlow], Page]) -> MakePage:
    """A page of a flow that remembers journeys."""

    def make(flow: FakeFlow) -> Page:
        flow.journeys = past(flow.now)
        return kind(flow)

    return make


def read_back(flow: FakeFlow) -> ReadBackPage:
    """The page that asks for a part of that key."""
    return ReadBackPage(flow, recovery(flow).seal, RECOVERY, lambda: None)


OTHERS: dict[type[Page], MakePage] = {
    **MAKERS,
    HomePage: with_past(HomePage),
    HistoryPage: with_past(HistoryPage),
    RehearsalsPage: with_past(RehearsalsPage),
    ImagesPage: images,
    RecoveryKeyPage: recovery,
    ReadBackPage: read_back,
    StagePage: lambda flow: saving(flow.window),
    FoundPage: lambda flow: found(flow.window, *PLACES),
    RefusedPage: lambda flow: refused(flow.window),
    ConsolePage: lambda flow: console(flow.window),
    SearchPage: lambda flow: SearchPage(flow.window, "Looking for the image...", lambda: None),
    UnlockPage: lambda flow: UnlockPage(flow.window, image(PLACES[0]), lambda _: None),
}
# What other pages are made from is none itself.
BASES: tuple[type[Page], ...] = (Page, StepPage)


def every_page() -> Iterator[type[Page]]:
    """All pages below `screens`."""
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, Page) and kind.__module__ == module.name and kind not in BASES:
                yield kind


def make(kind: type[Page], flow: FakeFlow) -> Page:
    """Make a page on a flow, and show it."""
    page: Page = OTHERS[kind](flow) if kind in OTHERS else kind(flow)  # type: ignore[arg-type, call-arg]
    if isinstance(page, RunPage):
        page.track.clock = lambda: page.track.started
        page.board.draw()
    flow.window.show(page)
    if isinstance(page, ImagesPage):
        page.look()
    return page


def controls(widget: Any) -> list[Any]:
    """All widgets below one that take keys themselves."""
    base = widget.base_widget
    if isinstance(base, urwid.Button | urwid.CheckBox | urwid.Edit | urwid.DropDown | urwid.SelectableIcon):
        return [base]
    if isinstance(base, urwid.Table):
        return [found for row in base.body for found in controls(row)] if len(base.body) else []
    if isinstance(base, urwid.WidgetWrap):
        return controls(base._w)
    if isinstance(base, urwid.ListBox):
        return [found for at in base.body.positions() for found in controls(base.body[at])]  # type: ignore[attr-defined, index]
    if isinstance(base, urwid.Frame):
        return controls(base.body)
    if isinstance(base, urwid.BoxAdapter):
        return controls(base.original_widget)
    inside = [child for child, *_ in getattr(base, "contents", [])]
    return [found for child in inside for found in controls(child)]


def focused(widget: Any) -> Any:
    """The widget that takes the next key."""
    base = widget.base_widget
    leaf = isinstance(base, urwid.Button | urwid.CheckBox | urwid.Edit | urwid.DropDown | urwid.SelectableIcon)
    if leaf:
        return base
    if isinstance(base, urwid.WidgetWrap) and not isinstance(base, urwid.Table):
        return focused(base._w)
    if isinstance(base, urwid.Frame):
        return focused(base.body)
    if isinstance(base, urwid.BoxAdapter):
        return focused(base.original_widget)
    child = getattr(base, "focus", None)
    return focused(child) if isinstance(child, urwid.Widget) else base
