"""A place on another machine, before anything is written: the way there, whether it lets us in, and has room."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from khib_tui import files, runner
from khib_tui.decide.choice import Choice, image_limit
from khib_tui.errors import ImageError, Refused
from khib_tui.events.types import Level, Message
from khib_tui.facts import network
from khib_tui.i18n import _
from khib_tui.image.header import MAGIC
from khib_tui.image.store import BLOCK, Store
from khib_tui.model.identity import NOWHERE, TargetRef
from khib_tui.model.remote import Link, Remote, Scheme
from khib_tui.model.sshfiles import FOLDER, KEY, KNOWN, PUBLIC
from khib_tui.model.units import size
from khib_tui.plan.step import Context
from khib_tui.target import remote as remotes


class MakeKey(Struct, frozen=True):
    """Make the key that saver and restorer log in with, and keep the other machine's host key; both only once."""

    remote: Remote

    def describe(self) -> str:
        """Return what is made."""
        return _("make a key for {user}@{host} alone in {folder}, and keep that machine's host key").format(
            user=self.remote.user, host=self.remote.host, folder=FOLDER
        )

    def apply(self, context: Context) -> None:
        """Make what is missing, and try it.

        :raises Refused: HIB-E-SSH, the machine does not take the key yet; the hint has the line that it needs.
        :raises CommandFailed: there is no ssh here.
        """
        if not KEY.exists():
            files.folder(FOLDER)
            name = f"khib@{socket.gethostname()}"
            runner.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", KEY])
            context.changed = True
        try:
            self._try()
        except Refused as refused:
            line = f'restrict,command="internal-sftp" {PUBLIC.read_text().strip()}'
            hint = _("put this line into ~{user}/.ssh/authorized_keys there, and set up again: {line}").format(
                user=self.remote.user, line=line
            )
            raise Refused(refused.message, hint=hint, ident=refused.ident) from refused
        known = runner.run(["ssh-keygen", "-l", "-f", KNOWN]).stdout.split()
        told = _("the host key of {host} that is kept: {key}; compare it there")
        context.sink(Message(told.format(host=self.remote.host, key=" ".join(known[1:2]))))

    def _try(self) -> None:
        from khib_tui.target.sftp import Connection

        Connection(network.resolved(self.remote), accept_new=True).close()


class RemoveKey(Struct, frozen=True):
    """Take the key and the host that was kept away; what the other machine has of it is its user's."""

    folder: Path

    def describe(self) -> str:
        """Return what is taken away."""
        return _("remove the key for ssh in {folder}; the other machine keeps its line of it, and its file").format(
            folder=self.folder
        )

    def apply(self, context: Context) -> None:
        """Remove what is there.

        :raises OSError: it cannot be removed.
        """
        for path in (self.folder / KEY.name, self.folder / PUBLIC.name, self.folder / KNOWN.name):
            files.remove(path)
        with suppress(OSError):
            self.folder.rmdir()
        context.changed = True


class TakeRemote(Struct, frozen=True):
    """Find the way to the other machine, and see that the image can be written there."""

    choice: Choice
    remote: Remote

    def describe(self) -> str:
        """Return what is looked at."""
        return _("find the way to {place}, and see that an image can be written there").format(place=self.remote)

    def apply(self, context: Context) -> None:
        """Look, and note the way.

        :raises KhibError: why it cannot take the image.
        """
        remote = network.resolved(self.remote)
        link = network.link_to(remote.at)
        self._look(remote, link, context)
        context.place = TargetRef(NOWHERE, remote=msgspec.structs.replace(remote, link=link))

    def _look(self, remote: Remote, link: Link, context: Context) -> None:
        try:
            with remotes.opened(remote, create=True) as store:
                refuse_foreign(store, remote)
                refuse_full(store, remote, image_limit(self.choice.region))
        except ImageError as error:
            if error.ident != "HIB-E-NFS-DRIVER":
                raise
            text = _("{reason}: only the saver will see whether it has room").format(reason=error.message)
            context.sink(Message(text, Level.WARNING))
        if remote.scheme is Scheme.NFS and not self.choice.sealed:
            context.sink(Message(_("the image is not sealed: all memory goes over the network readable"), Level.WARNING))
        told = _("{host} is {address}, reached from {own} by the card {card}")
        context.sink(Message(told.format(host=remote.host, address=remote.at, own=link.address, card=link.mac)))


def refuse_foreign(store: Store, remote: Remote) -> None:
    """See that the file holds an image, or nothing.

    :raises Refused: HIB-E-TARGET-FILE, it holds something else.
    """
    head = store.read(0, BLOCK) if store.capacity >= BLOCK else bytes(min(store.capacity, 1))
    if (store.capacity and store.capacity < BLOCK) or (any(head) and not head.startswith(MAGIC)):
        hint = _("name another file, or remove this one if it is not needed")
        text = _("{place} holds something else than an image").format(place=remote)
        raise Refused(text, hint=hint, ident="HIB-E-TARGET-FILE")


def refuse_full(store: Store, remote: Remote, need_bytes: int) -> None:
    """See that there is room for the image, with what the file has already.

    :raises Refused: HIB-E-TARGET-SMALL, there is not.
    """
    if store.room < need_bytes:
        what = _("{host} has {free} free for {path}, the image may need {need}").format(
            host=remote.host, free=size(store.room), path=remote.path, need=size(need_bytes)
        )
        raise Refused(what, hint=_("free some room there, or choose another place"), ident="HIB-E-TARGET-SMALL")
