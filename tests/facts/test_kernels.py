"""Kernels where distributions put them, and those that are named."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.decide.checks import check
from khib_tui.decide.choice import choose_kernel
from khib_tui.errors import Refused
from khib_tui.events.types import Severity
from khib_tui.facts.kernels import with_named
from khib_tui.facts.probe import probe
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from tests.kit import fakeroot
from tests.kit.faketree import Content, bzimage, tree
from tests.kit.machines import BIOS, field

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("07a-boot-gentoo-systemd", ["/boot/kernel-6.6.62-gentoo-dist", "/boot/kernel-6.6.58-gentoo-dist.old"]),
        ("07b-boot-bls-layout", [f"/boot/{ID}/6.12.9-arch1-1/linux"]),
        ("07c-boot-ostree", ["/boot/ostree/fedora-0123abcd/vmlinuz-6.11.4-300.fc41.x86_64"]),
        ("07d-boot-nixos", ["/boot/kernels/zzz0-linux-6.12.30-bzImage", "/boot/EFI/nixos/zzz0-linux-6.12.30-bzImage.efi"]),
        ("07e-boot-uki-only", ["/usr/lib/modules/6.12.9-arch1-1/vmlinuz"]),
        (
            "07f-boot-fedora-rescue",
            ["/boot/vmlinuz-6.18.3-200.fc43.x86_64", "/boot/vmlinuz-6.17.12-300.fc43.x86_64", f"/boot/vmlinuz-0-rescue-{ID}"],
        ),
        ("07g-boot-arch-upgraded", ["/boot/vmlinuz-linux", "/boot/vmlinuz-linux-lts"]),
    ],
)
def test_layouts_of_the_field(tmp_path: Path, name: str, paths: list[str]) -> None:
    found = probe(fakeroot.make(tmp_path, name))
    assert [kernel.path for kernel in found.kernels] == paths
    unknown = tuple(msgspec.structs.replace(kernel, config={}) for kernel in found.kernels)
    assert choose_kernel(msgspec.structs.replace(found, kernels=unknown), Settings()).path == paths[0]
    assert found.unified_kernels == (("/efi/EFI/Linux/arch-linux.efi",) if "uki" in name else ())


def test_the_running_release_is_found_though_only_its_config_lies_beside_the_modules(tmp_path: Path) -> None:
    (kernel,) = probe(fakeroot.make(tmp_path, "07b-boot-bls-layout")).kernels
    assert kernel.config == {"KEXEC": "y"}


@pytest.mark.parametrize(
    ("entry", "file"),
    [
        ("boot/loader/entries/a.conf", "boot/odd/place"),
        ("efi/loader/entries/a.conf", "efi/odd/place"),
        ("boot/efi/loader/entries/a.conf", "boot/efi/odd/place"),
        ("boot/loader/entries/a.conf", "odd/place"),
    ],
)
def test_an_entry_of_the_boot_loader_names_a_kernel(tmp_path: Path, entry: str, file: str) -> None:
    files: dict[str, Content] = {entry: "title x\nlinux   /odd/place\ninitrd /i\n", file: bzimage("6.9")}
    assert [kernel.path for kernel in probe(tree(tmp_path, files)).kernels] == [f"/{file}"]


def test_only_unified_kernels_are_said(tmp_path: Path) -> None:
    found = probe(tree(tmp_path, {"boot/EFI/Linux/a.efi": b"MZ" + bytes(9000), "efi/EFI/Linux/b.efi": b"MZ"}))
    (finding,) = [item for item in check(found) if item.ident == "HIB-E-NO-KERNEL"]
    assert finding.severity == Severity.BLOCKER and "--kernel FILE" in finding.fix
    assert "/boot/EFI/Linux/a.efi, /efi/EFI/Linux/b.efi" in finding.why


def test_no_kernel_at_all_is_said() -> None:
    (finding,) = [item for item in check(field("07-no-kernel-listed")) if item.ident == "HIB-E-NO-KERNEL"]
    assert finding.severity == Severity.BLOCKER and "EFI system partition" in finding.why


def test_any_kernel_that_can_be_read_is_taken_by_its_name(tmp_path: Path) -> None:
    here = field("27-kernel-elsewhere")
    root = tree(tmp_path, {"usr/lib/modules/6.8.0-45-generic/vmlinuz": bzimage("6.8.0-45-generic", alignment=0x1000000)})
    path = "/usr/lib/modules/6.8.0-45-generic/vmlinuz"
    named = with_named(here, path, root)
    kernel = choose_kernel(named, Settings(kernel=path))
    assert (kernel.path, kernel.release, kernel.alignment) == (path, here.release, 16 << 20)
    assert kernel.config == here.config, "the running release's configuration is known"
    assert with_named(named, path, root) is named and with_named(here, "", root) is here


@pytest.mark.parametrize("content", [None, b"", b"MZ" + bytes(9000)])
def test_a_named_file_that_is_no_kernel_is_refused_with_its_name(tmp_path: Path, content: bytes | None) -> None:
    root = tree(tmp_path, {} if content is None else {"k": content})
    with pytest.raises(Refused, match=r"/k is not a kernel") as caught:
        with_named(BIOS, "/k", root)
    assert caught.value.ident == "HIB-E-BZIMAGE"


def test_a_kept_kernel_that_is_gone_is_told() -> None:
    with pytest.raises(Refused, match=r"/gone/vmlinuz is gone"):
        choose_kernel(BIOS, Settings(kernel="/gone/vmlinuz"))


def names(machine: Machine) -> list[str]:
    return [kernel.path for kernel in machine.kernels]


def test_a_copy_beside_the_modules_only_counts_where_boot_has_none(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "boot/vmlinuz-6.9": bzimage("6.9"), "usr/lib/modules/6.9/vmlinuz": bzimage("6.9"),
        "usr/lib/modules/6.8/vmlinuz": bzimage("6.8"),
    }  # fmt: skip
    assert names(probe(tree(tmp_path, files))) == ["/boot/vmlinuz-6.9", "/usr/lib/modules/6.8/vmlinuz"]


def test_a_rescue_kernel_is_the_last_even_if_it_is_the_newest(tmp_path: Path) -> None:
    files: dict[str, Content] = {"boot/vmlinuz-0-rescue-1": bzimage("6.19"), "boot/vmlinuz-6.9": bzimage("6.9")}
    found = probe(tree(tmp_path, files))
    assert names(found) == ["/boot/vmlinuz-6.9", "/boot/vmlinuz-0-rescue-1"]
    assert choose_kernel(msgspec.structs.replace(found, release="6.0"), Settings()).release == "6.9"
