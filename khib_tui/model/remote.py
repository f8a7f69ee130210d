"""A place on another machine, `nfs://host/dir/file` or `ssh://user@host/dir/file`, and the way there. Addresses are IPv4."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from khib_tui.errors import UsageError
from khib_tui.i18n import _
from khib_tui.model.text import clean

PREFIXES = ("nfs://", "ssh://")
_IP = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
_URL = (
    r"(nfs|ssh)://(?:([a-z_][a-z0-9_.-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,5}))?"
    r"((?:/[A-Za-z0-9_@+.-]+)*)/([A-Za-z0-9_@+.-]+)(?:[?,](.*))?"
)
_OPTIONS = {
    "vers": r"3|4(\.[0-2])?", "mountport": r"\d{1,5}", "dhcp": "", "at": _IP, "mac": r"[0-9a-f]{2}(:[0-9a-f]{2}){5}",
    "ip": rf"{_IP}/\d{{1,2}}", "via": _IP,
}  # fmt: skip


class Scheme(StrEnum):
    """By what protocol the file is reached."""

    NFS = "nfs"
    SSH = "ssh"


class Link(msgspec.Struct, frozen=True):
    """The network card that leads there, and what it is called: without an address, the network is asked (DHCP).

    :param prefix: how many bits of the address are the network's.
    :param via: the router on the way; '' where there is none.
    """

    mac: str
    address: str = ""
    prefix: int = 0
    via: str = ""


class Remote(msgspec.Struct, frozen=True):
    """A file on another machine.

    :param folder: that it lies in; of NFS, what is mounted.
    :param port: 0 for the protocol's own; `mountport` (NFS 3 alone) as the other machine says.
    :param vers: of NFS; '' for the newest that both have.
    :param dhcp: C asks the network for an address, instead of taking the one that A had at set-up.
    :param at: the address of `host`, once somebody has asked.
    :param link: the way there, for a kernel that has no network yet.
    """

    scheme: Scheme
    host: str
    folder: str
    name: str
    user: str = ""
    port: int = 0
    vers: str = ""
    mountport: int = 0
    dhcp: bool = False
    at: str = ""
    link: Link | None = None

    @property
    def address(self) -> str:
        """Where it is looked for."""
        return self.at or self.host

    @property
    def path(self) -> str:
        """The file's path on the other machine."""
        return f"{self.folder.rstrip('/')}/{self.name}"

    def __str__(self) -> str:
        """Spell it as a person does."""
        return self._spelled("?", [])

    @property
    def word(self) -> str:
        """Spell it, with the way there, for a kernel command line; `parse` reads it back, but for what DHCP will give."""
        link, more = self.link, [f"at={self.at}"] if self.at else []
        if link:
            more.append(f"mac={link.mac}")
        if link and link.address and not self.dhcp:
            more += [f"ip={link.address}/{link.prefix}", *([f"via={link.via}"] if link.via else [])]
        return self._spelled(",", more)

    def _spelled(self, mark: str, more: list[str]) -> str:
        user, port = f"{self.user}@" if self.user else "", f":{self.port}" if self.port else ""
        options = [f"vers={self.vers}"] if self.vers else []
        options += [f"mountport={self.mountport}"] if self.mountport else []
        options += ["dhcp"] if self.dhcp else []
        listed = ",".join([*options, *more])
        return f"{self.scheme}://{user}{self.host}{port}{self.path}{mark if listed else ''}{listed}"


def is_remote(text: str) -> bool:
    """Return whether a target's spelling means another machine."""
    return text.startswith(PREFIXES)


def parse(text: str) -> Remote:
    """Read what a person or `Remote.word` spelled.

    :raises UsageError: HIB-E-TARGET, it makes no sense.
    """
    match = re.fullmatch(_URL, text)
    options = _options(match[7] or "") if match else None
    if match is None or options is None or not {".", ".."}.isdisjoint([*match[5].split("/"), match[6]]):
        raise _nonsense(text)
    scheme = Scheme(match[1])
    if (scheme is Scheme.SSH) != bool(match[2]) or (
        scheme is Scheme.SSH and not options.keys().isdisjoint(("vers", "mountport"))
    ):
        raise _nonsense(text)
    return Remote(
        scheme, match[3], match[5] or "/", match[6], match[2] or "", int(match[4] or 0), options.get("vers", ""),
        int(options.get("mountport", 0)), "dhcp" in options, options.get("at", ""), _link(options),
    )  # fmt: skip


def _options(text: str) -> dict[str, str] | None:
    """Take options apart; None if one of them is nonsense."""
    found: dict[str, str] = {}
    for part in filter(None, re.split("[,&]", text)):
        name, _, value = part.partition("=")
        if name not in _OPTIONS or not re.fullmatch(_OPTIONS[name], value):
            return None
        found[name] = value
    return found


def _link(options: dict[str, str]) -> Link | None:
    if "mac" not in options:
        return None
    address, _, prefix = options.get("ip", "").partition("/")
    return Link(options["mac"], address, int(prefix or 0), options.get("via", ""))


def _nonsense(text: str) -> UsageError:
    return UsageError(
        _("'{text}' is not a valid place on another machine").format(text=clean(text)), ident="HIB-E-TARGET",
        hint=_("write nfs://HOST/FOLDER/FILE or ssh://USER@HOST/FOLDER/FILE, with ?vers=4.2, ?dhcp or the like behind"),
    )  # fmt: skip
