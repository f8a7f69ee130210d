"""`khib setup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui.commands import foreign
from khib_tui.commands.common import machine_for, settings_of, show_plan
from khib_tui.commands.seal import told
from khib_tui.errors import Exit, ImageError
from khib_tui.events.types import Message, Sink
from khib_tui.model import answers
from khib_tui.plan.seal import KeepSeal
from khib_tui.plan.task import run_task, task_of
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal

if TYPE_CHECKING:
    from argparse import Namespace


def setup(arguments: Namespace, sink: Sink) -> int:
    """Install saver and boot entry, and keep the choices: those of the command line, or all from a file."""
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
