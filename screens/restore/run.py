"""The screen of C: look for the image, count down, restore; and what to do if that is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from urwid.display import BaseScreen

from khib_tui.errors import Exit, ImageError, KhibError
from khib_tui.events.types import Failure, Sink
from khib_tui.facts import blockdev
from khib_tui.handover.cmdline import Words
from khib_tui.i18n import _
from khib_tui.image.header import State
from khib_tui.linux.syscalls import REBOOT_POWER_OFF, REBOOT_RESTART, reboot
from khib_tui.model.machine import BlockDevice
from khib_tui.restorer import manage, unlock
from khib_tui.restorer import run as kernel_c
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.progress.page import run_stage
from screens.restore.found import FoundPage
from screens.restore.images import ConsolePage, Wish
from screens.restore.refused import Answer, RefusedPage
from screens.restore.search import SearchPage
from screens.restore.told import keeping, window
from screens.restore.unlock import UnlockPage

T = TypeVar("T")
Place = tuple[Sequence[BlockDevice], list[Found]]
AT_ONCE, NEVER = 0, -1


def run_restore(wanted: str, words: Words, sink: Sink, *, screen: BaseScreen | None = None) -> int:
    """Resume, as long as the user wants to try.

    :param wanted: device, file or identity of the image, empty for the only one.
    :param screen: instead of the terminal, for tests.
    :returns: the exit code of the last failure: a shell is wanted.
    """
    sink, countdown, repair = keeping(sink), words.countdown, False
    while True:
        found: Found | None = None
        try:
            devices, complete = look(wanted, words, screen)
            found = complete[0]
            if countdown != AT_ONCE or len(complete) > 1:
                found = pick(complete, countdown, screen)
            opened = unlocked(found, sink, screen)
            if opened is None:
                countdown = NEVER
                continue
            found = opened
            if repair:
                kernel_c.repair(devices, found)
            resume(devices, found, sink, screen)
            return int(Exit.OK)
        except Exception as error:
            code = tell(error, sink)
            answer = refused(error, found, words, screen)
        if answer is Answer.SHELL:
            return code
        if answer is Answer.IMAGES and (picked := console(words, sink, screen)):
            wanted = picked
        # After a failure nothing starts by itself any more.
        countdown, repair = NEVER, answer is Answer.REPAIR


def look(wanted: str, words: Words, screen: BaseScreen | None) -> Place:
    """Search until an image is there, behind a page that says so.

    :raises KhibError: there is none that can be resumed.
    """

    late: list[str] = []

    def search() -> Place:
        kernel_c.begin()
        try:
            devices, found = catalog.find(wanted, words.image, late.append)
        except ImageError as error:
            if error.ident != "HIB-E-TWO-IMAGES":
                raise
            devices = blockdev.devices()
            several = catalog.search(devices, words.image)
            return devices, [item for item in several if item.header.state is State.COMPLETE]
        return devices, [found]

    return behind(_("Looking for the image..."), search, screen, late)


def behind(text: str, search: Callable[[], T], screen: BaseScreen | None, late: Sequence[str] = ()) -> T:
    """Do something that takes long behind a page that says so.

    :param late: what is to be shown too, as soon as it is there.
    :raises Exception: what it raised; Cancelled if the user stopped it.
    """
    page = SearchPage(window(screen), text, search, late)
    page.window.show(page)
    page.window.run()
    return page.result()


def pick(complete: Sequence[Found], countdown: int, screen: BaseScreen | None) -> Found:
    """Show the image and count down, or let the user choose one of several.

    :raises Cancelled: the user wants none.
    """
    page = FoundPage(window(screen), complete, countdown)
    page.window.show(page)
    page.window.run()
    return page.result()


def unlocked(found: Found, sink: Sink, screen: BaseScreen | None) -> Found | None:
    """Return the image, opened if it is sealed; None if the user wants back to the choices."""
    if found.header.seal is None:
        return found
    if told := unlock.by_handover(found):
        return told
    page = UnlockPage(window(screen), found, sink)
    page.window.show(page)
    page.window.run()
    return page.opened


def resume(devices: Sequence[BlockDevice], found: Found, sink: Sink, screen: BaseScreen | None) -> None:
    """Restore and jump; returns only by raising."""
    title = _("Resuming {host}").format(host=found.header.host or _("the hibernated system"))
    run_stage(title, lambda events, stop: kernel_c.work(devices, found, events, stop), sink, screen=screen)


def console(words: Words, sink: Sink, screen: BaseScreen | None) -> str:
    """Let the user look at all images; return the identity of one to resume, empty for none."""
    told = ""
    while True:
        devices, found = behind(_("Looking for images..."), lambda: everything(words), screen)
        page = ConsolePage(window(screen), devices, found, told)
        page.window.show(page)
        page.window.run()
        if page.wish is not Wish.VERIFY or page.chosen is None:
            return page.chosen.header.image_id if page.wish is Wish.RESUME and page.chosen else ""
        told = verified(devices, page.chosen, sink, screen)


def everything(words: Words) -> Place:
    """Find all images, whatever state they are in."""
    devices = blockdev.devices()
    return devices, catalog.search(devices, words.image)


def verified(devices: Sequence[BlockDevice], chosen: Found, sink: Sink, screen: BaseScreen | None) -> str:
    """Verify an image, unlocked before if it is sealed; return what to tell."""
    opened = unlocked(chosen, sink, screen)
    if opened is None:
        return _("Not verified: it stays sealed.")
    try:
        return run_stage(_("Verifying"), lambda events, stop: manage.verify(devices, opened, events, stop), sink, screen=screen)
    except Exception as error:
        return Failure.of(error).text


def tell(error: Exception, sink: Sink) -> int:
    """Tell the sink of a failure, and return its exit code."""
    failure = Failure.of(error)
    sink(failure)
    return failure.exit_code


def refused(error: Exception, found: Found | None, words: Words, screen: BaseScreen | None) -> Answer:
    """Say what failed and ask what to do; a restart and a power-off happen here."""
    kept = None
    if found is not None:
        with suppress(KhibError):
            kept = behind(_("Checking the state of the image..."), lambda: state_of(found, words), screen)
    while True:
        page = RefusedPage(window(screen), error, found, kept)
        page.window.show(page)
        page.window.run()
        if page.answer not in (Answer.RESTART, Answer.POWER_OFF):
            return page.answer
        try:
            os.sync()
            reboot(REBOOT_RESTART if page.answer is Answer.RESTART else REBOOT_POWER_OFF)
        except KhibError as second:
            error = second


def state_of(found: Found, words: Words) -> State | None:
    """Read again what state an image is in; None if it cannot be read."""
    with suppress(KhibError, OSError):
        for item in catalog.search(blockdev.devices(), words.image):
            if item.header.image_id == found.header.image_id:
                return item.header.state
    return None
