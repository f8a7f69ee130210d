"""Asking for an address: what is sent, and what is made of the answer. In the lab a real server answers."""

from __future__ import annotations

import socket

import pytest

from khib_tui.errors import Refused
from khib_tui.linux import dhcp
from khib_tui.model.remote import Link

LINK = Link("52:54:00:6b:68:01")
HARDWARE = bytes.fromhex("5254006b6801")


def answer(options: bytes, address: str = "10.0.2.15") -> bytes:
    message = bytearray(dhcp.packet(7, HARDWARE, 1))
    message[0], message[16:20] = 2, socket.inet_aton(address)
    return bytes(message[:240]) + options


def test_a_request_names_the_card_and_takes_what_was_offered() -> None:
    offer = answer(bytes((53, 1, 2, 54, 4, 10, 0, 2, 2, 255)))
    sent = dhcp.packet(7, HARDWARE, 3, offer)
    options = dhcp.options_of(sent)
    assert sent[28:34] == HARDWARE and sent[4:8] == (7).to_bytes(4) and sent[10:12] == b"\x80\0"
    assert options[53] == b"\x03" and options[50] == socket.inet_aton("10.0.2.15") and options[54] == bytes((10, 0, 2, 2))


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (bytes((1, 4, 255, 255, 0, 0, 3, 8, 10, 0, 0, 1, 10, 0, 0, 2, 255)), Link(LINK.mac, "10.0.2.15", 16, "10.0.0.1")),
        (bytes((0, 0, 1, 4, 255, 255, 255, 128)), Link(LINK.mac, "10.0.2.15", 25, "")),
        (bytes((3, 200, 10)), Link(LINK.mac, "10.0.2.15", 24, "")),
        (b"", Link(LINK.mac, "10.0.2.15", 24, "")),
    ],
)
def test_an_answer_gives_address_network_and_router(options: bytes, wanted: Link) -> None:
    assert dhcp.linked(LINK, answer(options)) == wanted


def test_a_network_that_gives_no_address_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Line:
        """A card whose network says nothing."""

        asked = 0

        def __enter__(self) -> Line:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def setsockopt(self, *_: object) -> None:
            return

        def bind(self, place: object) -> None:
            return

        def sendto(self, data: bytes, place: object) -> None:
            self.asked += 1
            raise TimeoutError

    line = Line()
    monkeypatch.setattr(socket, "socket", lambda *_: line)
    with pytest.raises(Refused) as caught:
        dhcp.ask("eth0", LINK)
    assert caught.value.ident == "HIB-E-DHCP" and "eth0" in caught.value.message and line.asked == dhcp.TRIES
