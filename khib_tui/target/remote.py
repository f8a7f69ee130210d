"""Opening an image on another machine: by NFS its folder is mounted for the time, by SSH the file is read and written there."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from khib_tui import files
from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.image.store import Store
from khib_tui.linux.syscalls import detach, mount
from khib_tui.model.identity import TargetRef
from khib_tui.model.remote import Remote, Scheme

MOUNT_POINT = Path("/run/khib/share")
READ_ONLY = 1
# MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOSYMFOLLOW
_UNTRUSTED = 2 | 4 | 8 | 256
VERSIONS = ("4.2", "4.1", "4.0", "3")
# An error after some 30 seconds without an answer, instead of waiting for ever. What is read and written is checked.
_PATIENCE = "proto=tcp,soft,timeo=50,retrans=2"
_PORT, _ANSWER = 2049, 5.0
_OTHER_VERSION = (errno.EPROTONOSUPPORT, errno.EINVAL, errno.EPROTO, errno.EOPNOTSUPP)


@contextmanager
def opened(remote: Remote, *, create: bool = False, read_only: bool = False) -> Iterator[Store]:
    """Open the store of an image there, once the way there is up.

    :raises KhibError: it cannot be reached, and why.
    """
    if remote.link:
        from khib_tui.linux import network

        network.up(remote.link)
    if remote.scheme is Scheme.SSH:
        from khib_tui.target.sftp import SftpStore

        with SftpStore(remote, writable=not read_only, create=create) as store:
            yield store
        return
    with mounted(remote, read_only=read_only) as root:
        with Store(root / remote.name, writable=not read_only, create=create, root=root) as store:
            yield store


@contextmanager
def mounted(remote: Remote, *, read_only: bool = False) -> Iterator[Path]:
    """Mount the folder of a place on NFS, for the time of a `with`; nothing on it is trusted.

    :raises ImageError: HIB-E-NFS-DRIVER, this kernel has no driver; HIB-E-MOUNT, it cannot be mounted.
    """
    reach(remote)
    files.folder(MOUNT_POINT)
    _mount(remote, _UNTRUSTED | (READ_ONLY if read_only else 0))
    try:
        yield MOUNT_POINT
    finally:
        detach(os.fspath(MOUNT_POINT))


def reach(remote: Remote) -> None:
    """See that a server listens there: mount(2) would ask for minutes.

    :raises ImageError: HIB-E-MOUNT, it does not.
    """
    try:
        socket.create_connection((remote.address, remote.port or _PORT), _ANSWER).close()
    except OSError as error:
        text = _("{host} does not answer at port {port}: {reason}")
        text = text.format(host=remote.host, port=remote.port or _PORT, reason=error.strerror or error)
        hint = _("see that it is on, and that its NFS server runs")
        raise ImageError(text, hint=hint, ident="HIB-E-MOUNT") from error  # fmt: skip


def options(remote: Remote, version: str) -> str:
    """Return what mount(2) takes for a version; the kernel itself asks no name service and no helper."""
    ports = f",port={remote.port}" if remote.port else ""
    if not version.startswith("3"):
        own = f",clientaddr={remote.link.address}" if remote.link and remote.link.address else ""
        return f"vers={version},addr={remote.address}{own},{_PATIENCE}{ports}"
    ports += f",mountport={remote.mountport}" if remote.mountport else ""
    return f"vers=3,addr={remote.address},mountaddr={remote.address},mountproto=tcp,nolock,{_PATIENCE}{ports}"


def _mount(remote: Remote, flags: int) -> None:
    versions = [remote.vers] if remote.vers else list(VERSIONS)
    for version in versions:
        try:
            mount(f"{remote.address}:{remote.folder}", os.fspath(MOUNT_POINT), "nfs", flags, options(remote, version))
            return
        except OSError as error:
            if error.errno == errno.ENODEV:
                text = _("{place}: this kernel has no driver for NFS").format(place=remote)
                raise ImageError(
                    text, hint=_("load its module nfs, or choose another kernel"), ident="HIB-E-NFS-DRIVER"
                ) from error
            if error.errno not in _OTHER_VERSION or version == versions[-1]:
                text = _("{host}:{folder} cannot be mounted by NFS: {reason}")
                text = text.format(host=remote.host, folder=remote.folder, reason=error.strerror)
                hint = _("see that the server is on and exports this folder to this machine")
                raise ImageError(text, hint=hint, ident="HIB-E-MOUNT") from error  # fmt: skip


def here(target: TargetRef) -> TargetRef:
    """Return a target for a kernel that has its own network: its way there is its own matter."""
    if target.remote is None:
        return target
    return msgspec.structs.replace(target, remote=msgspec.structs.replace(target.remote, link=None, at=""))
