"""`khib seal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui.commands.common import show_plan
from khib_tui.errors import Exit
from khib_tui.events.types import Level, Message, Result, Sink
from khib_tui.i18n import _
from khib_tui.plan.execute import execute
from khib_tui.plan.seal import KeepSeal, RemoveSeal
from khib_tui.plan.step import Context
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal

if TYPE_CHECKING:
    from argparse import Namespace


def seal(arguments: Namespace, sink: Sink) -> int:
    """Make the seal of all later images, or take it away."""
    path = sealfile.path_beside(arguments.settings)
    if arguments.dry_run:
        show_plan([RemoveSeal(path) if arguments.off else KeepSeal(path)], sink)
        return Exit.OK
    context = Context(sink)
    if arguments.off:
        execute([RemoveSeal(path)], context, sink)
        text = _("new images will not be sealed; existing ones stay sealed") if context.changed else _("images were not sealed")
        sink(Result("seal", True, text, {"path": str(path), "sealed": False}))
        return Exit.OK
    passphrase = secret.new(arguments.key_file)
    if secret.hard_to_type(passphrase):
        sink(Message(_(secret.HARD_TO_TYPE), Level.WARNING))
    made, recovery = crypto.create(passphrase, crypto.best_cipher())
    execute([KeepSeal(path, made)], context, sink)
    data = {"path": str(path), "sealed": True, "cipher": str(made.cipher), "recovery_key": recovery}
    sink(Result("seal", True, told(made, recovery), data))
    return Exit.OK


def told(made: Seal, recovery: str) -> str:
    """Format the recovery key, for the only time."""
    return _(
        "images will be sealed with {cipher}\n\nrecovery key, shown only now:\n\n    {recovery}\n\nWrite it down "
        "and keep it apart from this machine: it opens images if the passphrase is forgotten."
    ).format(cipher=made.cipher, recovery=recovery)
