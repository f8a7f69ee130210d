"""Places of an image: as they are typed, and as words on a kernel's command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.errors import KhibError, Refused, UsageError
from khib_tui.model import identity
from khib_tui.model import target as targets
from khib_tui.model.identity import TargetRef
from khib_tui.model.machine import Machine
from khib_tui.model.target import Target
from tests.kit.machines import BIOS, FEDORA, LAPTOP, UEFI, changed, device


@pytest.mark.parametrize("text", ["/dev/vdb1", "/dev/vdb2:/hibernate.khib", "/dev/disk/by-path/pci-0000:00:1f.2-part1:/a"])
def test_parse_and_format_are_inverse(text: str) -> None:
    assert str(targets.parse(text)) == text


def test_parse_tells_partition_from_file() -> None:
    assert targets.parse(" /dev/vdb1 ") == Target("/dev/vdb1") and targets.parse("/dev/vdb1").kind == "partition"
    assert targets.parse("/dev/vdb2:/d/i.khib") == Target("/dev/vdb2", "/d/i.khib")
    assert Target("/dev/vdb2", "/i").kind == "file"


@pytest.mark.parametrize(
    "text",
    ["", "vdb1", "/etc/passwd", "/dev/", "/dev/../etc/x", "/dev/vdb1:", "/dev/vdb1:/", "/dev/vdb1:/a/../b",
     "/dev/vdb1:/a b", "/dev/vdb1:/a/", "/dev/vdb1:/$(x)", "/dev/v\x1b", "/dev/vdb1:relative", "/dev/vdb 1"],
)  # fmt: skip
def test_parse_refuses_nonsense(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        targets.parse(text)
    assert caught.value.ident == "HIB-E-TARGET"
    assert "\x1b" not in caught.value.message


def test_a_link_leads_to_the_device() -> None:
    assert targets.resolved(Target("/dev/stdin-is-no-disk", "/f")) == Target("/dev/stdin-is-no-disk", "/f")


@pytest.mark.parametrize("facts", [BIOS, LAPTOP, FEDORA])
def test_words_lead_back_to_every_partition(facts: Machine) -> None:
    for part in (item for item in facts.devices if item.kind == "partition"):
        spelled = targets.word(Target(part.path, "/h.khib"), facts)
        assert part.name not in spelled and not set(spelled) & set(" \"'$\\;")
        assert targets.from_word(spelled, facts.devices) == TargetRef(identity.key_of(part), "/h.khib")


def test_word_of_a_disk_without_table_is_its_filesystem() -> None:
    facts = changed(UEFI, "vdb", fstype="ext4", uuid="6f9c-aa")
    assert targets.word(Target("/dev/vdb", "/h"), facts) == "6f9c-aa-0:/h"
    assert targets.from_word("6f9c-aa-0:/h", facts.devices).key == identity.key_of(device(facts, "vdb"))
    with pytest.raises(Refused) as caught:
        targets.word(Target("/dev/vdb", "/h"), UEFI)
    assert caught.value.ident == "HIB-E-TARGET-IDENTITY"


@pytest.mark.parametrize(
    ("spelled", "ident"),
    [
        ("0ddba11c-5eed-4bad-8000-000000000002-7:/h", "HIB-E-TARGET-MISSING"),
        ("/dev/vdz:/h", "HIB-E-TARGET-MISSING"),
        ("0ddba11c-5eed-4bad-8000-000000000002-1048576:/a b", "HIB-E-TARGET"),
        ("-0:/h", "HIB-E-TARGET"),
        ("nonsense", "HIB-E-TARGET"),
    ],
)
def test_words_that_lead_nowhere(spelled: str, ident: str) -> None:
    with pytest.raises(KhibError) as caught:
        targets.from_word(spelled, UEFI.devices if ident.endswith("MISSING") else BIOS.devices)
    assert caught.value.ident == ident


def test_a_device_name_is_a_word_too() -> None:
    assert targets.from_word("/dev/vdb2:/h", BIOS.devices) == TargetRef(identity.key_of(device(BIOS, "vdb2")), "/h")


@given(st.text(st.sampled_from("/dev:.x0-@ \n$"), max_size=30))
def test_parse_takes_anything(text: str) -> None:
    try:
        target = targets.parse(text)
    except UsageError:
        return
    assert targets.parse(str(target)) == target
    assert target.device.startswith("/dev/") and ".." not in str(target).split("/")
