"""Inside A: take an address for a network card, as a system's network service would."""

from __future__ import annotations

import sys

from khib_tui.linux import network
from khib_tui.model.remote import Link


def main() -> None:
    """Turn the card on whose hardware address is the one argument, and print the address that the network gives it."""
    print(network.address_of(network.up(Link(sys.argv[1]))))


if __name__ == "__main__":
    main()
