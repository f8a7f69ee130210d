"""A file on another machine by the system's own ssh and the server's sftp: read and written in place, and made durable there.

SFTP protocol version 3 (draft-ietf-secsh-filexfer-02), with OpenSSH's fsync and statvfs. Requests are sent without waiting
for the answers of those before, or each would cost the time of a round trip.
"""

from __future__ import annotations

import errno
import os
import select
import struct
import threading
from pathlib import Path
from typing import Any

from khib_tui.errors import ImageError, Refused
from khib_tui.i18n import _
from khib_tui.image.store import Store
from khib_tui.linux.buffers import Buffer
from khib_tui.model.remote import Remote
from khib_tui.model.sshfiles import KEY, KNOWN, SSH
from khib_tui.model.text import clean
from khib_tui.model.units import KIB

PATIENCE = 60.0
"""Seconds without any answer, after which the other machine counts as gone; ssh itself asks after it every 5."""
_CHUNK = 32 * KIB
_INIT, _OPEN, _CLOSE, _READ, _WRITE, _FSTAT, _EXTENDED = 1, 3, 4, 5, 6, 8, 200
_VERSION, _STATUS, _HANDLE, _DATA, _ATTRS, _REPLY = 2, 101, 102, 103, 105, 201
_OK, _END = 0, 1
_ERRORS = {2: errno.ENOENT, 3: errno.EACCES, 4: errno.EIO, 8: errno.EOPNOTSUPP}
_MOST = 1 << 20


def words(remote: Remote, *, accept_new: bool = False) -> list[str]:
    """Return the command that connects: nothing of the user's own settings, one key, one known host, no questions.

    :param accept_new: take the host's key if none is known yet.
    """
    strict = "accept-new" if accept_new else "yes"
    options = {
        "IdentityFile": KEY, "IdentitiesOnly": "yes", "IdentityAgent": "none", "UserKnownHostsFile": KNOWN,
        "GlobalKnownHostsFile": "none", "HostKeyAlias": remote.host, "StrictHostKeyChecking": strict, "BatchMode": "yes",
        "HashKnownHosts": "no", "UpdateHostKeys": "no", "PreferredAuthentications": "publickey", "ConnectTimeout": "20",
        "ServerAliveInterval": "5", "ServerAliveCountMax": "6", "LogLevel": "ERROR", "Compression": "no",
    }  # fmt: skip
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    port = ["-p", str(remote.port)] if remote.port else []
    return [SSH, "-F", "none", "-T", "-x", "-a", *given, *port, "-l", remote.user, "-s", remote.address, "sftp"]


class Connection:
    """ssh, running, and the server behind it. One thread at a time asks.

    :raises Refused: HIB-E-SSH, it does not let us in, in its own words.
    """

    def __init__(self, remote: Remote, *, accept_new: bool = False) -> None:
        from khib_tui import runner  # B and C do without unless they need it

        self.remote, self.number, self.last_words = remote, 0, ""
        self.said = os.memfd_create("ssh")
        self.process = runner.spawn(words(remote, accept_new=accept_new), stdin=-1, stdout=-1, stderr=self.said, bufsize=0)
        self.to, self.back = self._pipes()
        try:
            self._send(_INIT, struct.pack(">I", 3), numbered=False)
            kind, _ = self._packet()
            if kind != _VERSION:
                raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        except OSError as error:
            self.close()
            raise self._refused(error) from error

    def _pipes(self) -> tuple[int, int]:
        assert self.process.stdin and self.process.stdout
        return self.process.stdin.fileno(), self.process.stdout.fileno()

    def _refused(self, error: OSError) -> Refused:
        text = _("{host} cannot be reached by ssh: {reason}").format(
            host=self.remote.host, reason=self.last_words or error.strerror
        )
        hint = _("see that it is on, that its host key is the one that was kept, and that it takes khib's key")
        return Refused(text, hint=hint, ident="HIB-E-SSH")

    def close(self) -> None:
        """End ssh, and keep what it said at last."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        try:
            self.process.wait(2)
        except Exception:
            self.process.kill()
            self.process.wait()
        said = os.pread(self.said, 16 * KIB, 0).decode(errors="replace")
        changed = _("its host key is not the one that was kept") if "IDENTIFICATION HAS CHANGED" in said else ""
        self.last_words = changed or clean("; ".join(said.replace("\r", "").strip().split("\n")[-2:]), 300)
        os.close(self.said)

    def _send(self, kind: int, body: bytes, *, numbered: bool = True, data: bytes | memoryview = b"") -> None:
        self.number += 1
        head = struct.pack(">BI", kind, self.number) if numbered else struct.pack(">B", kind)
        self._put(struct.pack(">I", len(head) + len(body) + len(data)) + head + body)
        self._put(data)

    def _put(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            self._wait(writing=True)
            try:
                view = view[os.write(self.to, view) :]
            except BrokenPipeError:  # means a reader of ours elsewhere
                raise self._lost() from None

    def _wait(self, *, writing: bool) -> None:
        ready = select.select([] if writing else [self.back], [self.to] if writing else [], [], PATIENCE)
        if not any(ready):
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), self.remote.host)

    def _lost(self) -> OSError:
        return OSError(errno.ENOTCONN, _("the connection is lost"), self.remote.host)

    def _bytes(self, count: int, into: memoryview | None = None) -> bytes:
        """Take bytes, into a view if one is given."""
        view, got = into or memoryview(bytearray(count)), 0
        while got < count:
            self._wait(writing=False)
            more = os.readv(self.back, [view[got:count]])
            if not more:
                raise self._lost()
            got += more
        return b"" if into else bytes(view)

    def _packet(self) -> tuple[int, bytes]:
        """Take an answer: its kind, and what is behind its number."""
        (size,) = struct.unpack(">I", self._bytes(4))
        if not 1 <= size <= _MOST:
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO), self.remote.host)
        packet = self._bytes(size)
        return packet[0], packet[5:]

    def ask(self, kind: int, body: bytes, wanted: int) -> bytes:
        """Ask something; gives the answer, b'' of a status that is good.

        :raises OSError: the server says no, or nothing.
        """
        self._send(kind, body)
        return self._answer(wanted)

    def _answer(self, wanted: int) -> bytes:
        kind, body = self._packet()
        if kind == wanted and kind != _STATUS:
            return body
        (code,) = struct.unpack_from(">I", body) if kind == _STATUS else (-1,)
        if code == _OK and wanted == _STATUS:
            return b""
        number = _ERRORS.get(code, errno.EPROTO)
        said = body[8 : 8 + int.from_bytes(body[4:8])].decode(errors="replace") if kind == _STATUS and code == 4 else ""
        raise OSError(number, clean(said) if said else os.strerror(number), self.remote.path)

    def write(self, handle: bytes, offset: int, data: memoryview) -> None:
        """Write bytes, not durable yet.

        :raises OSError: they were not written.
        """
        places = range(0, len(data), _CHUNK)
        for at in places:
            part = data[at : at + _CHUNK]
            self._send(_WRITE, handle + struct.pack(">QI", offset + at, len(part)), data=part)
        for _place in places:
            self._answer(_STATUS)

    def read(self, handle: bytes, offset: int, view: memoryview) -> int:
        """Fill a view; gives how many bytes were there.

        :raises OSError: they cannot be read.
        """
        for at in range(0, len(view), _CHUNK):
            self._send(_READ, handle + struct.pack(">QI", offset + at, min(_CHUNK, len(view) - at)))
        got, whole = 0, True
        for at in range(0, len(view), _CHUNK):
            some = self._data(view[at : at + _CHUNK])
            got += some if whole else 0
            whole = whole and some == min(_CHUNK, len(view) - at)
        return got

    def _data(self, view: memoryview) -> int:
        kind, body = self._packet()
        if kind == _STATUS and int.from_bytes(body[:4]) == _END:
            return 0
        if kind != _DATA or len(body) - 4 > len(view):
            raise OSError(errno.EIO, os.strerror(errno.EIO), self.remote.path)
        view[: len(body) - 4] = body[4:]
        return len(body) - 4


def text(value: bytes | str) -> bytes:
    """Spell a string of the protocol."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(data)) + data


class SftpStore(Store):
    """A store in a file on another machine.

    :raises ImageError: HIB-E-STORE, the file cannot be opened.
    :raises Refused: HIB-E-SSH, the machine cannot be reached.
    """

    def __init__(self, remote: Remote, *, writable: bool = False, create: bool = False, accept_new: bool = False) -> None:
        self.path, self.root, self.local = Path(remote.path), None, threading.local()
        self.link, self.lock = Connection(remote, accept_new=accept_new), threading.Lock()
        flags = 1 | (2 if writable else 0) | (8 if create else 0)
        attributes = struct.pack(">II", 4, 0o600)
        try:
            self.handle = self.link.ask(_OPEN, text(remote.path) + struct.pack(">I", flags) + attributes, _HANDLE)
        except OSError as error:
            self.link.close()
            raise ImageError(f"{remote.host}:{remote.path}: {error.strerror}", ident="HIB-E-STORE") from error

    def close(self) -> None:
        """Close the file."""
        self.link.close()

    def _ask(self, *words: Any) -> bytes:
        with self.lock:
            return self.link.ask(*words)

    @property
    def capacity(self) -> int:
        """Bytes that the file has."""
        (flags, size) = struct.unpack_from(">IQ", self._ask(_FSTAT, self.handle, _ATTRS))
        return int(size) if flags & 1 else 0

    @property
    def room(self) -> int:
        """Bytes it could have."""
        body = self._ask(_EXTENDED, text("fstatvfs@openssh.com") + self.handle, _REPLY)
        _, block, _, _, free = struct.unpack_from(">5Q", body)
        return self.capacity + int(free) * int(block)

    def _read_piece(self, place: int, view: memoryview) -> int:
        with self.lock:
            return self.link.read(self.handle, place, view)

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        """Write the first `count` bytes of a buffer.

        :raises OSError: they were not written.
        """
        with self.lock:
            self.link.write(self.handle, offset, buffer.view[:count])

    def flush(self) -> None:
        """Make all that was written durable on the other machine's disk.

        :raises OSError: it is not durable, or the server cannot tell.
        """
        self._ask(_EXTENDED, text("fsync@openssh.com") + self.handle, _STATUS)
