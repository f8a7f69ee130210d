"""By which way another machine is reached."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.facts import network
from khib_tui.linux import network as cards
from khib_tui.model.remote import parse

TABLE = """Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0202000A	0003	0	0	0	00000000	0	0	0
eth0	0002000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth0	0003000A	0902000A	0003	0	0	0	00FFFFFF	0	0	0
eth1	00000000	0101A8C0	0003	0	0	0	00000000	0	0	0
"""


@pytest.mark.parametrize(("address", "wanted"), [("10.0.2.7", ""), ("10.0.3.7", "10.0.2.9"), ("8.8.8.8", "10.0.2.2")])
def test_the_narrowest_route_of_the_card_tells_the_router(tmp_path: Path, address: str, wanted: str) -> None:
    (tmp_path / "route").write_text(TABLE)
    assert network.router("eth0", address, tmp_path / "route") == wanted


def test_a_name_becomes_an_address_and_an_unknown_one_is_refused() -> None:
    assert network.resolved(parse("nfs://127.0.0.1/a")).at == "127.0.0.1"
    with pytest.raises(Refused, match="no IPv4 address") as refused:
        network.resolved(parse("nfs://no-such-machine.invalid/a"))
    assert refused.value.ident == "HIB-E-NETWORK"


def test_what_is_no_wired_card_is_refused() -> None:
    with pytest.raises(Refused, match=r"no wired network card|no network card"):
        network.link_to("127.0.0.1")


@pytest.mark.parametrize(("prefix", "wanted"), [(0, "0.0.0.0"), (24, "255.255.255.0"), (32, "255.255.255.255")])
def test_a_prefix_is_spelled_as_a_mask(prefix: int, wanted: str) -> None:
    assert cards.mask(prefix) == wanted


def test_the_route_has_the_size_that_the_kernel_reads() -> None:
    assert cards._ROUTE.size == 120
    assert len(cards._spelled("1.2.3.4")) == 16 and struct.unpack_from("H", cards._spelled("1.2.3.4"))[0] == socket.AF_INET


def test_the_loopback_has_its_address() -> None:
    assert cards.address_of("lo") == "127.0.0.1" and cards.prefix_of("lo") == 8
    assert cards.address_of("no-such-card") == ""
