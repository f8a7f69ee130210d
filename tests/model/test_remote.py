"""How a place on another machine is spelled, by people and on a kernel command line."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import UsageError
from khib_tui.model import remote
from khib_tui.model import target as targets
from khib_tui.model.identity import NOWHERE
from khib_tui.model.remote import Link, Remote, Scheme
from khib_tui.model.target import Kind

LINK = Link("52:54:00:6b:68:01", "10.0.2.15", 24, "10.0.2.2")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nfs://nas/export/a/image.khib", Remote(Scheme.NFS, "nas", "/export/a", "image.khib")),
        ("nfs://nas/image.khib", Remote(Scheme.NFS, "nas", "/", "image.khib")),
        (
            "nfs://10.1.2.3:2050/x/i?vers=3,mountport=99,dhcp",
            Remote(Scheme.NFS, "10.1.2.3", "/x", "i", port=2050, vers="3", mountport=99, dhcp=True),
        ),
        ("ssh://backup@nas.home:2222/i", Remote(Scheme.SSH, "nas.home", "/", "i", user="backup", port=2222)),
    ],
)
def test_what_a_person_spells_is_read_and_spelled_back(text: str, wanted: Remote) -> None:
    target = targets.parse(text)
    assert target.remote == wanted and target.kind is Kind.REMOTE
    assert str(target) == text


def test_options_may_be_parted_as_in_an_address() -> None:
    assert remote.parse("nfs://nas/a/b?vers=4.2&dhcp") == remote.parse("nfs://nas/a/b?vers=4.2,dhcp")


@pytest.mark.parametrize("link", [None, LINK, msgspec.structs.replace(LINK, via=""), Link(LINK.mac)])
@pytest.mark.parametrize("text", ["nfs://nas/a/b?vers=4.2", "ssh://me@nas:22/b?dhcp"])
def test_the_word_leads_a_kernel_there(text: str, link: Link | None) -> None:
    given = msgspec.structs.replace(remote.parse(text), at="10.0.2.2", link=link)
    found = targets.from_word(given.word, [])
    asked = Link(link.mac) if link and given.dhcp else link
    assert found.remote == msgspec.structs.replace(given, link=asked) and found.key == NOWHERE and found.keys == []
    assert not set(given.word) & set(" \"'$;&|?*[]{}()<>\\`")


@pytest.mark.parametrize(
    "text",
    [
        "nfs://", "nfs://nas", "nfs://nas/", "nfs://me@nas/a", "ssh://nas/a", "ssh://me@nas/a?vers=3", "nfs://nas/a/../b",
        "nfs://nas/a b", "nfs://nas/a$b", "nfs://nas/a?vers=9", "nfs://nas/a?soft", "ssh://-oProxyCommand=x@nas/a",
        "ssh://me@-oProxyCommand=x/a",
    ],
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        targets.parse(text)
    assert refused.value.ident == "HIB-E-TARGET" and refused.value.hint
