"""`khib setup`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from khib_tui.commands import foreign
from khib_tui.commands.common import machine_for, machine_of, settings_of, show_plan
from khib_tui.commands.seal import told
from khib_tui.errors import Exit, ImageError, KhibError, Refused
from khib_tui.events.types import Message, Result, Sink
from khib_tui.i18n import _
from khib_tui.image.header import State
from khib_tui.model import answers, settings
from khib_tui.model import target as targets
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.plan import remove as removing
from khib_tui.plan.execute import execute
from khib_tui.plan.seal import KeepSeal
from khib_tui.plan.step import Context
from khib_tui.plan.task import run_task, task_of
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal
from khib_tui.target import catalog

if TYPE_CHECKING:
    from argparse import Namespace


def setup(arguments: Namespace, sink: Sink) -> int:
    """Install saver and boot entry, and keep the choices: those of the command line, or all from a file."""
    if arguments.remove:
        return remove(arguments, sink)
    given = answers.load(arguments.answers) if arguments.answers else None
    chosen = settings_of(arguments, given and given.settings)
    sealing, recovery = seal_of(arguments, given.key_file if given else "")
    task = task_of(machine_for(arguments, chosen), chosen, arguments.settings, None, sealing=sealing)
    if arguments.dry_run:
        show_plan(task.actions, sink)
        return Exit.OK
    foreign.refuse_steps(arguments)
    code = run_task(task, sink)
    if sealing and sealing.seal:
        sink(Message(told(sealing.seal, recovery)))
    return code


def remove(arguments: Namespace, sink: Sink) -> int:
    """List what a set-up has written, and take it away.

    :raises UsageError: facts of another machine do not tell what lies there.
    :raises Refused: HIB-E-REMOVE-IMAGE, an image waits on the target: without the set-up nothing could resume it.
    """
    foreign.refuse_steps(arguments)
    here, kept = machine_of(arguments), settings.load(arguments.settings)
    actions = removing.remove(here, kept, arguments.settings)
    show_plan(actions, sink)
    if arguments.dry_run:
        return Exit.OK
    refuse_image(here, kept)
    context = Context(sink)
    execute(actions, context, sink)
    text = _("nothing of the set-up is left") if actions else _("there was nothing to remove")
    sink(Result("setup", True, text, {"removed": len(actions)}))
    return Exit.OK


def refuse_image(here: Machine, kept: Settings) -> None:
    """See that no image waits on the target.

    :raises Refused: HIB-E-REMOVE-IMAGE, one does.
    """
    place, own, found = "", False, []
    with suppress(KhibError):  # the target may be gone
        target = targets.resolved(targets.parse(kept.target), here.devices) if kept.target else None
        place, own = str(target or ""), bool(target and target.beneath)
        found = catalog.images(here, kept.target)
    waiting = [item for item in found if item.header.state is State.COMPLETE]
    if any(item.where == place or (own and item.target.spans) for item in waiting):
        raise Refused(
            _("an image waits on {place}: without boot entry and restorer nothing could resume it").format(place=place),
            hint=_("resume it, or give it up with `khib image discard`"), ident="HIB-E-REMOVE-IMAGE",
        )  # fmt: skip


def seal_of(arguments: Namespace, key_file: str) -> tuple[KeepSeal | None, str]:
    """Return the step that seals later images with the passphrase in a file, and the recovery key.

    There is none if no file is given, or the passphrase opens the seal that is there.
    """
    if not key_file:
        return None, ""
    passphrase, path = secret.new(key_file), sealfile.path_beside(arguments.settings)
    kept = sealfile.load(path)
    if kept and _opens(kept, passphrase):
        return None, ""
    if arguments.dry_run:
        return KeepSeal(path), ""
    made, recovery = crypto.create(passphrase, crypto.best_cipher())
    return KeepSeal(path, made), recovery


def _opens(kept: Seal, passphrase: str) -> bool:
    try:
        crypto.unlock(kept, passphrase)
    except ImageError as error:
        if error.ident != secret.WRONG:
            raise
        return False
    return True
