"""The network of a kernel that has none yet: one card is given an address and a way out. IPv4, by ioctl alone."""

from __future__ import annotations

import fcntl
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.model.remote import Link

CARDS = Path("/sys/class/net")
WAIT_FOR_LINK = 40.0
"""Seconds that a card may take to appear, and as many to agree with what it is plugged into."""
_PAUSE = 0.2
_IFREQ = struct.Struct("16s24s")
_GET_FLAGS, _SET_FLAGS, _GET_ADDRESS, _SET_ADDRESS, _GET_MASK, _SET_MASK = 0x8913, 0x8914, 0x8915, 0x8916, 0x891B, 0x891C
_ADD_ROUTE = 0x890B
_UP, _ROUTE_UP, _ROUTE_GATEWAY = 1, 1, 2
_ROUTE = struct.Struct("@L16s16s16sHhLPhPLLH6x")


def up(link: Link) -> str:
    """See that the card is on, has its address and its route; gives its name. What is so already stays.

    :raises Refused: HIB-E-NETWORK, the card is not there, has no cable, or nobody gives it an address.
    """
    name = _card(link.mac)
    turn(name, on=True)
    if not _comes(lambda: carrier(name)):
        raise _refused(_("the network card {name} has no connection").format(name=name), _("see that its cable is plugged in"))
    if address_of(name):
        return name
    if not link.address:
        from khib_tui.linux import dhcp

        link = dhcp.ask(name, link)
    try:
        _set(name, _SET_ADDRESS, link.address)
        _set(name, _SET_MASK, mask(link.prefix))
        if link.via:
            _default_route(link.via)
    except OSError as error:
        text = _("the network card {name} does not take {address}: {reason}")
        text = text.format(name=name, address=link.address, reason=error.strerror)
        raise _refused(text, _("set up again with another card, or with ?dhcp")) from error
    return name


def down() -> None:
    """Turn all cards off, so that nothing of the network reaches the memory of the kernel that comes next."""
    for path in CARDS.glob("*"):
        if path.name != "lo":
            with suppress(OSError):
                turn(path.name, on=False)


def turn(name: str, *, on: bool) -> None:
    """Turn a card on or off.

    :raises OSError: the kernel refuses.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        request = fcntl.ioctl(link, _GET_FLAGS, _IFREQ.pack(name.encode(), b""))
        (flags,) = struct.unpack_from("H", request, 16)
        flags = flags | _UP if on else flags & ~_UP
        fcntl.ioctl(link, _SET_FLAGS, _IFREQ.pack(name.encode(), struct.pack("H", flags)))


def mac_of(name: str) -> str:
    """Return the hardware address of a card; '' if it cannot be read."""
    try:
        return (CARDS / name / "address").read_text().strip()
    except OSError:
        return ""


def address_of(name: str) -> str:
    """Return the address of a card; '' if it has none."""
    return _get(name, _GET_ADDRESS)


def prefix_of(name: str) -> int:
    """Return how many bits of a card's address are the network's; 0 if it has none."""
    found = _get(name, _GET_MASK)
    return int.from_bytes(socket.inet_aton(found)).bit_count() if found else 0


def carrier(name: str) -> bool:
    """Return whether a card that is on is connected to something."""
    try:
        return (CARDS / name / "carrier").read_text().strip() == "1"
    except OSError:
        return False


def mask(prefix: int) -> str:
    """Spell a prefix as a mask."""
    return socket.inet_ntoa(struct.pack("!I", (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF))


def _card(mac: str) -> str:
    """Wait for a card.

    :raises Refused: it does not appear.
    """

    def found() -> list[str]:
        return [path.name for path in CARDS.glob("*") if mac_of(path.name) == mac]

    if _comes(lambda: bool(found())):
        return found()[0]
    hint = _("see that it is plugged in, and that this kernel has its driver; or set up again with another card")
    raise _refused(_("the network card {mac} is not there").format(mac=mac), hint)


def _comes(true: Callable[[], bool]) -> bool:
    """Wait for something; gives whether it came."""
    deadline = time.monotonic() + WAIT_FOR_LINK
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _get(name: str, request: int) -> str:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            answer = fcntl.ioctl(link, request, _IFREQ.pack(name.encode(), b""))
    except OSError:
        return ""
    return socket.inet_ntoa(answer[20:24])


def _set(name: str, request: int, address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        fcntl.ioctl(link, request, _IFREQ.pack(name.encode(), _spelled(address)))


def _spelled(address: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def _default_route(via: str) -> None:
    nothing = _spelled("0.0.0.0")
    route = _ROUTE.pack(0, nothing, _spelled(via), nothing, _ROUTE_UP | _ROUTE_GATEWAY, 0, 0, 0, 0, 0, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        fcntl.ioctl(link, _ADD_ROUTE, route)


def _refused(what: str, hint: str) -> Refused:
    return Refused(what, hint=hint, ident="HIB-E-NETWORK")
