"""A file on another machine: what is written there is read back, is durable, and a server that goes is an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import ImageError, Refused
from khib_tui.image import header as headers
from khib_tui.image.header import Header, State
from khib_tui.image.store import BLOCK
from khib_tui.model.units import MIB
from khib_tui.runner import run
from khib_tui.target import sftp
from khib_tui.target.sftp import Connection, SftpStore
from tests.kit import sshd
from tests.kit.sshd import Sshd

pytestmark = sshd.needs_sshd


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    monkeypatch.setattr(sftp, "KEY", tmp_path / "key")
    monkeypatch.setattr(sftp, "KNOWN", tmp_path / "known_hosts")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"])
    with sshd.running(tmp_path / "sshd") as made:
        made.allow((tmp_path / "key.pub").read_text())
        yield made


def known(server: Sshd) -> None:
    Connection(server.place(), accept_new=True).close()


def test_bytes_are_read_back_as_they_were_written_at_any_offset(server: Sshd) -> None:
    known(server)
    data = os.urandom(3 * MIB + 3 * BLOCK)
    with SftpStore(server.place(), writable=True, create=True) as store:
        store.write(5 * BLOCK, data)
        store.flush()
        assert store.read(5 * BLOCK + 77, len(data) - 77) == data[77:]
        assert store.read(0, 5 * BLOCK) == bytes(5 * BLOCK)
        assert store.capacity == len(data) + 5 * BLOCK and store.room > store.capacity
    assert (server.folder / "image.khib").read_bytes()[5 * BLOCK :] == data
    assert (server.folder / "image.khib").stat().st_mode & 0o777 == 0o600


def test_what_lies_behind_the_end_is_no_image(server: Sshd) -> None:
    known(server)
    with SftpStore(server.place(), writable=True, create=True) as store:
        assert headers.read(store) is None
        with pytest.raises(ImageError, match="ends at byte 0"):
            store.read(0, BLOCK)


def test_a_claim_is_made_in_both_headers(server: Sshd) -> None:
    known(server)
    with SftpStore(server.place(), writable=True, create=True) as store:
        first = headers.write(store, Header("0" * 32, State.COMPLETE, 0))
        headers.advance(store, first, State.CLAIMED)
    with SftpStore(server.place()) as store:
        assert [slot and slot.state for slot in headers.read_slots(store)] == [State.CLAIMED, State.CLAIMED]


def test_an_unknown_host_is_refused_and_so_is_another_one(server: Sshd, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be reached by ssh: .*[Hh]ost key"):
        Connection(server.place())
    known(server)
    other = (tmp_path / "known_hosts").read_text()
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "another"])
    kind, key, *_ = (tmp_path / "another.pub").read_text().split()
    (tmp_path / "known_hosts").write_text(f"{other.split()[0]} {kind} {key}\n")
    with pytest.raises(Refused, match="not the one that was kept"):
        Connection(server.place(), accept_new=True)


def test_a_key_that_is_not_taken_is_refused(server: Sshd) -> None:
    known(server)
    server.authorized.write_text("")
    with pytest.raises(Refused, match="Permission denied") as refused:
        Connection(server.place())
    assert refused.value.ident == "HIB-E-SSH" and refused.value.hint


def test_a_missing_folder_is_told(server: Sshd) -> None:
    known(server)
    with pytest.raises(ImageError, match="No such file"):
        SftpStore(msgspec.structs.replace(server.place(), folder="/nowhere"), writable=True, create=True)


def test_a_server_that_goes_is_an_error_at_the_next_write(server: Sshd) -> None:
    known(server)
    with SftpStore(server.place(), writable=True, create=True) as store:
        store.write(0, bytes(BLOCK))
        server.stop()
        with pytest.raises(OSError, match="connection is lost"):
            for _ in range(3):
                store.write(0, bytes(BLOCK))
                store.flush()
