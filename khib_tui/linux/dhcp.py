"""Asking the network for an address (DHCP, RFC 2131), as much of it as one kernel needs for some minutes."""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.model.remote import Link

TRIES, PATIENCE = 5, 4.0
_BROADCAST = ("255.255.255.255", 67)
_COOKIE = b"\x63\x82\x53\x63"
_HEAD = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_DISCOVER, _OFFER, _REQUEST, _ACK = 1, 2, 3, 5
_MASK, _ROUTER, _WANTED, _KIND, _SERVER, _ASKED = 1, 3, 50, 53, 54, 55


def ask(card: str, link: Link) -> Link:
    """Return a link with the address, prefix and router that the network gives a card, which is on.

    :raises Refused: HIB-E-DHCP, nobody answers.
    """
    hardware, number = bytes.fromhex(link.mac.replace(":", "")), int.from_bytes(os.urandom(4))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, card.encode())
        line.bind(("", 68))
        for _turn in range(TRIES):
            offer = _answer(line, packet(number, hardware, _DISCOVER), number, _OFFER)
            if offer and (given := _answer(line, packet(number, hardware, _REQUEST, offer), number, _ACK)):
                return linked(link, given)
    raise Refused(
        _("nobody on the network gives {card} an address").format(card=card), ident="HIB-E-DHCP",
        hint=_("see that a DHCP server answers there; or set up again without ?dhcp, for a fixed address"),
    )  # fmt: skip


def packet(number: int, hardware: bytes, kind: int, offer: bytes = b"") -> bytes:
    """Make a message: the first, or the one that takes what an offer has."""
    options = bytes((_KIND, 1, kind, _ASKED, 2, _MASK, _ROUTER))
    if offer:
        options += bytes((_WANTED, 4)) + offer[16:20] + bytes((_SERVER, 4)) + options_of(offer).get(_SERVER, bytes(4))[:4]
    nobody = bytes(4)
    # the flag asks for answers to everybody: this card has no address yet
    head = _HEAD.pack(1, 1, 6, 0, number, 0, 0x8000, nobody, nobody, nobody, nobody, hardware, b"", b"", _COOKIE)
    return head + options + b"\xff"


def options_of(message: bytes) -> dict[int, bytes]:
    """Take the options of a message apart; what is cut off is left out."""
    found, at = {}, _HEAD.size
    while at + 1 < len(message) and message[at] != 0xFF:
        if message[at] == 0:
            at += 1
            continue
        code, count = message[at], message[at + 1]
        found[code] = message[at + 2 : at + 2 + count]
        at += 2 + count
    return found


def linked(link: Link, message: bytes) -> Link:
    """Return a link with what a message gives."""
    options = options_of(message)
    prefix = int.from_bytes(options.get(_MASK, b"\xff\xff\xff\x00")[:4]).bit_count()
    router = options.get(_ROUTER, b"")[:4]
    return Link(link.mac, socket.inet_ntoa(message[16:20]), prefix, socket.inet_ntoa(router) if len(router) == 4 else "")


def _answer(line: socket.socket, sent: bytes, number: int, kind: int) -> bytes:
    """Send a message; gives its answer, b'' if there is none in time."""
    with suppress(OSError):
        line.sendto(sent, _BROADCAST)
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            line.settimeout(left)
            data = line.recv(4096)
            ours = len(data) >= _HEAD.size and data[4:8] == number.to_bytes(4) and data[236:240] == _COOKIE
            if ours and options_of(data).get(_KIND) == bytes((kind,)):
                return data
    return b""
