"""A set-up leaves no trace when it is removed, and what others have stays, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.bootloader import efi, grub, grubenv
from khib_tui.decide import bootloader
from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed
from khib_tui.linux import efivars
from khib_tui.model import settings as kept
from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, BootFacts, Folder, LoaderKind
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.settings import Settings
from khib_tui.plan.boot import RemoveBootEntry, WriteBootEntry, entries, is_set_up
from khib_tui.plan.execute import execute
from khib_tui.plan.remove import ForgetNextStart, RemoveSettings, remove
from khib_tui.plan.step import Action, Context
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Cipher, Seal
from tests.kit.saved import nothing

ESP = BlockDevice("sda1", 100 << 20, "partition", disk="sda", start=1 << 20, partuuid="6209c23a-4fb5-8b4e-b747-58ae6a4529bf")
USER = b"# mine\nmenuentry 'x' { true }\n"
ENVIRONMENT = (grubenv.HEADER + b"saved_entry=debian\n").ljust(1024, b"#")
KINDS = [kind for kind in LoaderKind if kind is not LoaderKind.AUTO]


@pytest.fixture
def machine(choice_of: Callable[..., Choice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with every boot loader, below a root of its own, with files of the user."""
    monkeypatch.setattr(bootloader, "EFI_ENTRY", tmp_path / "efivars" / bootloader.EFI_ENTRY.name)
    facts = choice_of().machine
    boot = BootFacts(
        loader="systemd-boot 257", efivars=True, grub_custom=True, grub_bls=True, grub_env=True,
        boot=Folder(str(tmp_path / "boot"), "/", "vda1", "uuid", "ext4"),
        esp=Folder(str(tmp_path / "efi"), "/", "sda1", "AA-BB"),
        grub=Folder(str(tmp_path / "boot/grub"), "/grub", "vda1", "uuid", "ext4"),
    )  # fmt: skip
    write(tmp_path / "boot/grub/custom.cfg", USER)
    write(tmp_path / "boot/grub/grubenv", ENVIRONMENT)
    write(tmp_path / "boot/loader/entries/a.conf", b"x")
    for name in ("efivars", "efi/loader/entries"):
        (tmp_path / name).mkdir(parents=True)
    return replace(facts, uefi=True, boot=boot, devices=(*facts.devices, ESP))


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def everything(root: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))}


def set_up(machine: Machine, choice: Choice, root: Path, **given: Any) -> Settings:
    """Write all that a set-up writes, but the guard; return the choices."""
    settings = replace(choice.settings, **given)
    loader = bootloader.choose(machine, settings)
    settings = bootloader.placed(settings, loader)
    WriteBootEntry(replace(choice, machine=machine, settings=settings, loader=loader)).apply(Context(nothing))
    for path in (
        settings.directory / "vmlinuz",
        settings.initramfs,
        settings.initramfs.with_suffix(".key"),
        settings.kernel_archive,
    ):
        write(path, b"ours")
    kept.save(settings, root / "etc/khib/khib.toml")
    sealfile.save(Seal(Cipher.AES, ()), root / "etc/khib/seal.json")
    return settings


def steps(machine: Machine, settings: Settings, root: Path) -> list[Action]:
    return remove(machine, settings, root / "etc/khib/khib.toml", root / "efivars")


@pytest.mark.parametrize("kind", KINDS)
def test_no_trace_is_left_and_again_there_is_nothing_to_do(
    machine: Machine, choice_of: Callable[..., Choice], tmp_path: Path, kind: LoaderKind
) -> None:
    (tmp_path / "etc").mkdir()
    before = everything(tmp_path)
    settings = set_up(machine, choice_of(), tmp_path, loader=kind)
    assert is_set_up(machine, settings) and everything(tmp_path) != before
    found = steps(machine, settings, tmp_path)
    assert isinstance(found[-1], RemoveSettings) and all(step.describe() for step in found)
    execute(found, Context(nothing), nothing)
    assert everything(tmp_path) == before and steps(machine, settings, tmp_path) == []


def test_beside_grub_the_firmware_gets_an_entry_of_its_own(
    machine: Machine, choice_of: Callable[..., Choice], tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    before = everything(tmp_path)
    machine = replace(machine, boot=replace(machine.boot, loader="GRUB 2.12", esp_free=bootloader.ESP_ROOM))
    settings = set_up(machine, choice_of(), tmp_path, loader=LoaderKind.GRUB)
    choice = replace(choice_of(), machine=machine, settings=settings, loader=bootloader.choose(machine, settings))
    found = entries(choice)
    assert [type(step).__name__ for step in found] == ["WriteBootEntry", "CopySaver", "WriteBootEntry"]
    assert str(tmp_path / "efi/khib") in found[1].describe() and "Boot4B48" in found[2].describe()
    execute(found, Context(nothing), nothing)
    read = efi.parse(efivars.read(bootloader.EFI_ENTRY) or b"")
    assert read and read.linux == "/khib/vmlinuz" and (tmp_path / "efi/khib/vmlinuz").read_bytes() == b"ours"
    again = Context(nothing)
    execute(found, again, nothing)
    assert not again.changed
    execute(steps(machine, settings, tmp_path), Context(nothing), nothing)
    assert everything(tmp_path) == before


def test_entries_of_a_former_choice_go_too(machine: Machine, choice_of: Callable[..., Choice], tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    before = everything(tmp_path)
    for kind in KINDS:
        settings = set_up(machine, choice_of(), tmp_path, loader=kind)
    execute(steps(machine, settings, tmp_path), Context(nothing), nothing)
    assert everything(tmp_path) == before


def test_an_entry_of_somebody_else_at_our_place_stays(machine: Machine, tmp_path: Path) -> None:
    write(tmp_path / "boot/loader/entries/khib-restore.conf", b"title x\nlinux /vmlinuz\n")
    write(bootloader.EFI_ENTRY, b"\x07\0\0\0other")
    assert steps(machine, Settings(boot_dir=str(tmp_path / "boot")), tmp_path) == []


def test_other_files_in_our_folder_stay(machine: Machine, choice_of: Callable[..., Choice], tmp_path: Path) -> None:
    settings = set_up(machine, choice_of(), tmp_path, loader=LoaderKind.GRUB)
    write(settings.directory / "mine", b"x")
    execute(steps(machine, settings, tmp_path), Context(nothing), nothing)
    assert [path.name for path in settings.directory.iterdir()] == ["mine"]


def test_what_the_next_start_was_told_is_taken_back(tmp_path: Path) -> None:
    places = {name: efivars.place(name, FIRMWARE_GUID, tmp_path) for name in ("BootNext", "BootOrder")}
    places["LoaderEntryOneShot"] = efivars.place("LoaderEntryOneShot", LOADER_GUID, tmp_path)
    efivars.write(places["BootNext"], b"\x48\x4b")
    efivars.write(places["LoaderEntryOneShot"], "khib-restore.conf\0".encode("utf-16-le"))
    path = tmp_path / "grubenv"
    path.write_bytes(grubenv.changed(ENVIRONMENT, grub.ID))
    step = ForgetNextStart(tmp_path, path)
    assert step.wanted() == ["LoaderEntryOneShot", "BootNext", "next_entry"]
    step.apply(Context(nothing))
    assert step.wanted() == [] and path.read_bytes() == ENVIRONMENT
    assert [efivars.read(places[name]) for name in ("BootNext", "LoaderEntryOneShot")] == [None, None]


def test_of_the_firmware_s_order_only_our_entry_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = efivars.place("BootOrder", FIRMWARE_GUID, tmp_path)
    monkeypatch.setattr(efivars, "write", lambda path, value: path.write_bytes(b"\x07\0\0\0" + value))
    efivars.write(place, b"\x01\0\x48\x4b\x02\0")
    ForgetNextStart(tmp_path, None).apply(Context(nothing))
    assert efivars.read(place) == b"\x01\0\x02\0" and ForgetNextStart(tmp_path, None).wanted() == []


def test_choices_of_others_for_the_next_start_stay(tmp_path: Path) -> None:
    efivars.write(efivars.place("BootNext", FIRMWARE_GUID, tmp_path), b"\x01\0")
    efivars.write(efivars.place("LoaderEntryOneShot", LOADER_GUID, tmp_path), "windows\0".encode("utf-16-le"))
    path = tmp_path / "grubenv"
    path.write_bytes(grubenv.changed(ENVIRONMENT, "windows"))
    assert ForgetNextStart(tmp_path, path).wanted() == []


def test_an_entry_that_is_not_read_as_it_was_meant_is_refused(choice_of: Callable[..., Choice], machine: Machine) -> None:
    choice = choice_of(options="quoted='x'")
    loader = bootloader.choose(machine, msgspec.structs.replace(choice.settings, loader=LoaderKind.GRUB_BLS))
    with pytest.raises(CommandFailed, match="would not read") as caught:
        WriteBootEntry(replace(choice, machine=machine, loader=loader)).apply(Context(nothing))
    assert caught.value.ident == "HIB-E-BOOTENTRY"
    assert not loader.entry.exists()


def test_a_link_to_the_user_s_custom_cfg_stays_one(machine: Machine, choice_of: Callable[..., Choice], tmp_path: Path) -> None:
    path, real = tmp_path / "boot/grub/custom.cfg", tmp_path / "boot/mine.cfg"
    path.rename(real)
    path.symlink_to(real)
    settings = set_up(machine, choice_of(), tmp_path, loader=LoaderKind.GRUB)
    assert path.is_symlink() and real.read_bytes().startswith(USER) and len(real.read_bytes()) > len(USER)
    RemoveBootEntry(bootloader.choose(machine, settings)).apply(Context(nothing))
    assert path.is_symlink() and real.read_bytes() == USER
