"""How B and C speak: on their console, and as JSON events on a device if one is named.

What only one of them needs is imported by that one only: they have no time to lose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui import present
from khib_tui.errors import Exit, KhibError
from khib_tui.events.sinks import quiet
from khib_tui.events.types import Failure, Message, Result, Sink
from khib_tui.handover.cmdline import Words
from khib_tui.i18n import _
from khib_tui.present import use_screens, with_events
from khib_tui.target import catalog

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.model.identity import TargetRef


def restore(arguments: Namespace, sink: Sink, *, by_hand: bool = False) -> int:
    """In C: resume; tells why not, and keeps the image.

    :param by_hand: a person has asked: nothing starts by itself.
    """
    from khib_tui.restorer import here, unlock
    from khib_tui.restorer import run as kernel_c

    here.refuse_elsewhere()
    words = going_on(arguments, Words.read())
    words = words._replace(countdown=-1) if by_hand else words
    arguments.plain = arguments.plain or bool(arguments.vmcore) or arguments.repair
    sink = with_events(quiet if use_screens(arguments) else sink, words.events)
    try:
        if arguments.vmcore:
            from khib_tui.commands.common import confirm
            from khib_tui.restorer import vmcore_run

            vmcore_run.run(arguments, sink, lambda title, work: present.show(arguments, sink, title, work), confirm)
            return Exit.OK
        if arguments.dry_run:
            return try_out(arguments, words, sink)
        if use_screens(arguments):
            return present.restore(arguments.image, words, sink)
        kernel_c.run(
            lambda title, work: present.show(arguments, sink, title, work), arguments.image, words.image,
            lambda found: unlock.on_console(found, sink, arguments.key_file), lambda text: sink(Message(text)),
            mend=arguments.repair,
        )  # fmt: skip
    except (KhibError, OSError) as error:
        if words.events:
            sink(Failure.of(error))
        raise
    return Exit.OK


def going_on(arguments: Namespace, words: Words) -> Words:
    """Go on where another C stopped that has moved here: with its image, and without waiting once more."""
    from khib_tui.handover import moved

    given = moved.received()
    if given is None:
        return words
    if given.vmcore:
        # it was asked for by hand, so its yes was given there
        arguments.vmcore, arguments.yes = place_of(given.vmcore), True
    arguments.image = arguments.image or given.image_id
    return words._replace(countdown=0)


def place_of(vmcore: TargetRef) -> str:
    """Return where a vmcore lies, as this kernel calls it.

    :raises KhibError: its disk is not there.
    """
    from khib_tui.model.identity import find, key_of
    from khib_tui.target import guard

    devices = guard.settled(lambda found: any(key_of(item) == vmcore.key for item in found))
    return find(devices, vmcore.key).path + (f":{vmcore.path}" if vmcore.path else "")


def try_out(arguments: Namespace, words: Words, sink: Sink) -> int:
    """Check everything that can be checked without restoring."""
    from khib_tui.restorer import run as kernel_c
    from khib_tui.restorer import unlock

    kernel_c.begin()
    devices, found = catalog.find(arguments.image, words.image, lambda text: sink(Message(text)))
    with kernel_c.prepared(devices, unlock.on_console(found, sink, arguments.key_file), sink, trial=True):
        sink(Result("restore", True, _("the image on {where} could be resumed here").format(where=found.where)))
    return Exit.OK
