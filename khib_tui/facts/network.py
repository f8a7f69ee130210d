"""By which network card A reaches another machine, so that B and C can take the same way."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.linux import network
from khib_tui.model.remote import Link, Remote

_ANY_PORT = 9
_UP, _GATEWAY = 1, 2


def resolved(remote: Remote) -> Remote:
    """Return a place with the address of its machine.

    :raises Refused: HIB-E-NETWORK, nobody knows that name.
    """
    import msgspec

    try:
        found = socket.getaddrinfo(remote.host, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        what = _("{host} has no IPv4 address that is known here: {reason}").format(host=remote.host, reason=error.strerror)
        raise Refused(what, hint=_("see that the name is right and the network is up"), ident="HIB-E-NETWORK") from error
    return msgspec.structs.replace(remote, at=str(found[0][4][0]))


def link_to(address: str) -> Link:
    """Return the way to an address: card, own address and router.

    :raises Refused: HIB-E-NETWORK, there is none, or not by a card of its own that another kernel could use as simply.
    """
    own = _own_address(address)
    names = [path.name for path in sorted(network.CARDS.glob("*")) if network.address_of(path.name) == own]
    if not names:
        raise _refused(
            _("no network card has the address {own} by which {address} is reached").format(own=own, address=address)
        )
    name, folder = names[0], network.CARDS / names[0]
    if not (folder / "device").exists() or (folder / "wireless").exists() or (folder / "phy80211").exists():
        raise _refused(
            _("{address} is reached through {name}, which is no wired network card of its own").format(
                address=address, name=name
            )
        )
    return Link(network.mac_of(name), own, network.prefix_of(name), router(name, address))


def router(card: str, address: str, table: Path = Path("/proc/net/route")) -> str:
    """Return the router that a card reaches an address through; '' if it is on the same network."""
    wanted = int.from_bytes(socket.inet_aton(address), "little")
    best, found = -1, ""
    for line in table.read_text().splitlines()[1:]:
        name, to, via, flags, _, _, _, bits = line.split()[:8]
        if name != card or not int(flags, 16) & _UP or wanted & int(bits, 16) != int(to, 16):
            continue
        if (size := int(bits, 16).bit_count()) > best:
            best, found = size, socket.inet_ntoa(struct.pack("<I", int(via, 16))) if int(flags, 16) & _GATEWAY else ""
    return found


def _own_address(address: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.connect((address, _ANY_PORT))
        except OSError as error:
            raise _refused(
                _("there is no way to {address}: {reason}").format(address=address, reason=error.strerror)
            ) from error
        return str(line.getsockname()[0])


def _refused(what: str) -> Refused:
    hint = _("saver and restorer can use a wired network card with an IPv4 address of its own; or choose a disk as target")
    return Refused(what, hint=hint, ident="HIB-E-NETWORK")
