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
     "/dev/vdb1:/a b", "/dev/vdb1:/a/", "/dev/vdb1:/$(x)", "/dev/v\x1b", "/dev/vdb1:relative", "/dev/vdb 1",
     "LABEL=", "UUID=:/h", "LABEL=\"x", "NAME=x", "/dev/disk/by-label/a b", "/dev/disk/by-label/\\x2", "/dev/disk/by-label/..",
     "/dev/disk/by-label/\u202e", "LABEL=x:/a b"],
)  # fmt: skip
def test_parse_refuses_nonsense(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        targets.parse(text)
    assert caught.value.ident == "HIB-E-TARGET"
    assert "\x1b" not in caught.value.message


def test_a_link_leads_to_the_device() -> None:
    assert targets.resolved(Target("/dev/stdin-is-no-disk", "/f"), ()) == Target("/dev/stdin-is-no-disk", "/f")


NAMED = changed(
    changed(BIOS, "vdb1", partlabel="EFI system partition", partuuid="0ddba11c-5eed-4bad-8000-0000000000b1", uuid="AB12-00FF"),
    "vdb2", label='シス "$x"', uuid="6F9CAA00-0000-4000-8000-000000000001",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/dev/disk/by-partlabel/EFI\\x20system\\x20partition", "/dev/vdb1"),
        ("PARTLABEL=EFI system partition", "/dev/vdb1"),
        ('PARTLABEL="EFI system partition":/h.khib', "/dev/vdb1:/h.khib"),
        ("PARTLABEL='EFI system partition':/h.khib", "/dev/vdb1:/h.khib"),
        ("PARTUUID=0DDBA11C-5EED-4BAD-8000-0000000000B1", "/dev/vdb1"),
        ("/dev/disk/by-partuuid/0ddba11c-5eed-4bad-8000-0000000000b1:/d/h", "/dev/vdb1:/d/h"),
        ("UUID=ab12-00ff", "/dev/vdb1"),
        ('UUID="AB12-00FF"', "/dev/vdb1"),
        ("UUID=6f9caa00-0000-4000-8000-000000000001:/h.khib", "/dev/vdb2:/h.khib"),
        ("LABEL='シス \"$x\"':/h.khib", "/dev/vdb2:/h.khib"),
        ("/dev/disk/by-label/シス\\x20\\x22\\x24x\\x22", "/dev/vdb2"),
    ],
)
def test_every_spelling_of_mount_leads_to_the_device(text: str, expected: str) -> None:
    target = targets.parse(text)
    assert str(targets.resolved(target, NAMED.devices)) == expected
    assert targets.parse(str(target)) == target and not set(str(target)) & set(" \"'$")


@pytest.mark.parametrize(
    "text", ["/dev/disk/by-id/usb-Generic#1_MassStorage=0:0-part1", "/dev/disk/by-id/wwn-0x5000~1,2%3", "/dev/mapper/a=b"]
)
def test_links_of_udev_are_taken_as_they_are(text: str) -> None:
    assert str(targets.parse(text)) == text


def test_a_name_that_several_have_is_refused() -> None:
    both = changed(NAMED, "vdb1", label="same")
    both = changed(both, "vdb2", label="same")
    with pytest.raises(Refused) as caught:
        targets.resolved(targets.parse("LABEL=same"), both.devices)
    assert caught.value.ident == "HIB-E-TARGET-DUPLICATE" and "/dev/vdb1 and /dev/vdb2" in caught.value.message


def test_a_name_that_nobody_has_stays_as_it_was_typed() -> None:
    target = targets.parse("UUID=1234:/h")
    assert targets.resolved(target, NAMED.devices) == target == Target("/dev/disk/by-uuid/1234", "/h")


def test_an_identity_that_is_no_safe_word_is_never_put_on_a_command_line() -> None:
    with pytest.raises(Refused) as caught:
        targets.word(Target("/dev/vdb", "/h"), changed(UEFI, "vdb", fstype="ext4", uuid="a b$c"))
    assert caught.value.ident == "HIB-E-TARGET-IDENTITY"


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


@given(st.lists(st.sampled_from([*'/:.x0-@ \n$\\"=', "/dev/", "LABEL=", "\\x20"]), max_size=30).map("".join))
def test_parse_takes_anything(text: str) -> None:
    try:
        target = targets.parse(text)
    except UsageError:
        return
    assert targets.parse(str(target)) == target
    assert target.device.startswith("/dev/") and ".." not in str(target).split("/")
