"""Mounting a share: what the kernel is told, and what is refused. That it works is for the lab (tests/lab/test_nfs)."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.model.identity import NOWHERE, TargetRef
from khib_tui.model.remote import Link, parse
from khib_tui.target import remote
from tests.kit.loopback import free_port

LINK = Link("52:54:00:6b:68:01", "10.0.2.15", 24)


def test_the_kernel_is_told_all_that_a_helper_would_find_out() -> None:
    place = msgspec.structs.replace(parse("nfs://nas:2050/a/b"), at="10.0.2.2", link=LINK)
    newest = remote.options(place, "4.2").split(",")
    assert {"vers=4.2", "addr=10.0.2.2", "clientaddr=10.0.2.15", "port=2050", "soft"} <= set(newest)
    old = remote.options(msgspec.structs.replace(place, mountport=99), "3").split(",")
    assert {"vers=3", "addr=10.0.2.2", "mountaddr=10.0.2.2", "mountport=99", "nolock", "port=2050"} <= set(old)
    assert "clientaddr" not in remote.options(msgspec.structs.replace(place, link=None), "4.2")


def test_a_server_that_does_not_listen_is_told_at_once() -> None:
    with (
        pytest.raises(ImageError, match=r"does not answer at port .*refused") as refused,
        remote.opened(parse(f"nfs://127.0.0.1:{free_port()}/a/b")),
    ):
        pass
    assert refused.value.ident == "HIB-E-MOUNT" and refused.value.hint


def test_a_system_with_a_network_of_its_own_goes_its_own_way() -> None:
    place = msgspec.structs.replace(parse("nfs://nas/a/b"), at="10.0.2.2", link=LINK)
    assert remote.here(TargetRef(NOWHERE, remote=place)) == TargetRef(NOWHERE, remote=parse("nfs://nas/a/b"))
    disk = TargetRef(msgspec.structs.replace(NOWHERE, disk_id="x"), "/a")
    assert remote.here(disk) is disk
